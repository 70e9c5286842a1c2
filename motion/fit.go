package motion

import (
	"math"
)

// What may differ between two pictures of one plane, to first order. The first planar terms are the eight of a homography: they move the plane. The
// others are light (gain, offset and a slope along both axes) and sharpness (the Laplacian).
const (
	planar = 8
	terms  = planar + 5
)

// spacing of the points that are compared, along a row. Smoothed luma has nothing finer.
const spacing = 2

// point is one of the reference's points.
type point struct {
	u, v  float32 // in [-1, 1], from the middle of the inner part
	value float32
	slope float32 // magnitude of the gradient, levels for each point of the patch
	terms [terms]float32
}

// reference is a patch prepared for the comparison with later ones (inverse compositional alignment: S. Baker and I. Matthews,
// Lucas-Kanade 20 years on, IJCV 56(3), 2004).
type reference struct {
	points []point
	factor [terms][terms]float64 // Cholesky factor of the normal equations
	sound  bool                  // the equations can be solved
}

// inFace is an ellipse inside the contour of a frontal face.
func inFace(u, v float32) bool {
	x, y := u/0.72, (v-0.10)/0.86
	return x*x+y*y <= 1
}

// prepare fills the reference from a patch.
func (r *reference) prepare(p *patch) {
	r.points = r.points[:0]
	for y := range side {
		for x := y % spacing; x < side; x += spacing {
			u, v := (float32(x)-(side-1)/2.0)/(side/2), (float32(y)-(side-1)/2.0)/(side/2)
			if inFace(u, v) {
				r.points = append(r.points, pointAt(p, (y+margin)*wide+x+margin, u, v))
			}
		}
	}
	r.factorise()
}

func pointAt(p *patch, i int, u, v float32) point {
	gx, gy := (p[i+1]-p[i-1])/2, (p[i+wide]-p[i-wide])/2
	laplacian := p[i+1] + p[i-1] + p[i+wide] + p[i-wide] - 4*p[i]
	q := point{u: u, v: v, value: p[i], slope: float32(math.Sqrt(float64(gx*gx + gy*gy)))}
	gx, gy = gx*side/2, gy*side/2 // for each unit of u and v
	along := gx*u + gy*v
	q.terms = [terms]float32{gx * u, gx * v, gx, gy * u, gy * v, gy, -along * u, -along * v, p[i], 1, u, v, laplacian}
	return q
}

// factorise solves for a slightly damped sum of squares, so that flat patches have a solution: no motion.
func (r *reference) factorise() {
	var sums [terms][terms]float64
	for k := range r.points {
		t := &r.points[k].terms
		for i := range terms {
			for j := range i + 1 {
				sums[i][j] += float64(t[i] * t[j])
			}
		}
	}
	n := float64(len(r.points))
	for i := range terms {
		damping := 1e-6*sums[i][i] + 1e-6*n
		if i < planar {
			damping += 0.5 * n // half a level of noise at a face's size of motion
		}
		sums[i][i] += damping
	}
	r.sound = cholesky(&r.factor, &sums)
}

// cholesky finds L with L·Lᵀ = sums; false when there is none.
func cholesky(l, sums *[terms][terms]float64) bool {
	for i := range terms {
		for j := range i + 1 {
			s := sums[i][j]
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			if i != j {
				l[i][j] = s / l[j][j]
				continue
			}
			if !(s > 0) || math.IsInf(s, 0) {
				return false
			}
			l[i][i] = math.Sqrt(s)
		}
	}
	return true
}

// solve returns the terms' amounts for the sums of their products with the differences.
func (r *reference) solve(b [terms]float64) (x [terms]float64) {
	for i := range terms {
		s := b[i]
		for k := range i {
			s -= r.factor[i][k] * x[k]
		}
		x[i] = s / r.factor[i][i]
	}
	for i := terms - 1; i >= 0; i-- {
		s := x[i]
		for k := i + 1; k < terms; k++ {
			s -= r.factor[k][i] * x[k]
		}
		x[i] = s / r.factor[i][i]
	}
	return x
}

// homography maps (u, v, 1), row by row.
type homography [9]float64

var identity = homography{1, 0, 0, 0, 1, 0, 0, 0, 1}

// plane is the homography of planar terms.
func plane(t []float64) homography {
	return homography{1 + t[0], t[1], t[2], t[3], 1 + t[4], t[5], t[6], t[7], 1}
}

// afterInverse is h ∘ g⁻¹, scaled to a last element of 1; false when there is none.
func (h homography) afterInverse(g homography) (homography, bool) {
	adj := homography{
		g[4]*g[8] - g[5]*g[7], g[2]*g[7] - g[1]*g[8], g[1]*g[5] - g[2]*g[4],
		g[5]*g[6] - g[3]*g[8], g[0]*g[8] - g[2]*g[6], g[2]*g[3] - g[0]*g[5],
		g[3]*g[7] - g[4]*g[6], g[1]*g[6] - g[0]*g[7], g[0]*g[4] - g[1]*g[3],
	}
	var out homography
	for i := range 3 {
		for j := range 3 {
			out[3*i+j] = h[3*i]*adj[j] + h[3*i+1]*adj[3+j] + h[3*i+2]*adj[6+j]
		}
	}
	w := out[8]
	if !(math.Abs(w) > 1e-9) {
		return identity, false
	}
	for i := range out {
		out[i] /= w
	}
	return out, true
}

// outside marks a point without a counterpart in the later patch.
const outside = 1 << 20

const (
	maxSteps = 10
	// settled is a step that no longer moves a point: a hundredth of one.
	settled = 0.01 / (side / 2)
)

// fit is what remains of the difference between a reference and a later patch when motion of a plane, light and sharpness are taken off.
type fit struct {
	rest   []float32 // for each of the reference's points
	amount [terms]float64
	warp   homography
	inside int // how many points have a counterpart in the later patch
	steps  int
}

// compare aligns the patch with the reference. It reports false where there is no solution.
func (r *reference) compare(p *patch, f *fit) bool {
	f.warp = identity
	if !r.sound {
		return false
	}
	for f.steps = range maxSteps {
		b := r.differences(p, f)
		f.amount = r.solve(b)
		f.takeOff(r)
		if f.steps == maxSteps-1 {
			break
		}
		var ok bool
		moved := 0.0
		for _, a := range f.amount[:planar] {
			moved = max(moved, math.Abs(a))
		}
		if moved < settled {
			break
		}
		if f.warp, ok = f.warp.afterInverse(plane(f.amount[:planar])); !ok {
			return false
		}
	}
	return f.inside > len(r.points)*3/4
}

// differences fills rest with the later patch minus the reference, 0 outside, and returns its sums with the terms.
func (r *reference) differences(p *patch, f *fit) (sums [terms]float64) {
	f.rest = f.rest[:0]
	f.inside = 0
	var acc [terms]float32
	h := f.warp
	var w [9]float32
	for i := range w {
		w[i] = float32(h[i])
	}
	for k := range r.points {
		q := &r.points[k]
		z := w[6]*q.u + w[7]*q.v + w[8]
		x := (w[0]*q.u+w[1]*q.v+w[2])/z*(side/2) + (wide-1)/2.0
		y := (w[3]*q.u+w[4]*q.v+w[5])/z*(side/2) + (wide-1)/2.0
		if !(x >= 0 && y >= 0 && x < wide-1 && y < wide-1) {
			f.rest = append(f.rest, outside)
			continue
		}
		f.inside++
		d := p.sample(x, y) - q.value
		f.rest = append(f.rest, d)
		for i := range terms {
			acc[i] += d * q.terms[i]
		}
	}
	for i := range sums {
		sums[i] = float64(acc[i])
	}
	return sums
}

// sample interpolates bilinearly; x and y are in [0, wide-1).
func (p *patch) sample(x, y float32) float32 {
	x0, y0 := int(x), int(y)
	fx, fy := x-float32(x0), y-float32(y0)
	i := y0*wide + x0
	top := p[i] + fx*(p[i+1]-p[i])
	bottom := p[i+wide] + fx*(p[i+wide+1]-p[i+wide])
	return top + fy*(bottom-top)
}

// takeOff subtracts the fitted terms.
func (f *fit) takeOff(r *reference) {
	var a [terms]float32
	for i := range a {
		a[i] = float32(f.amount[i])
	}
	for k := range f.rest {
		if f.rest[k] == outside {
			continue
		}
		t := &r.points[k].terms
		var s float32
		for i := range terms {
			s += a[i] * t[i]
		}
		f.rest[k] -= s
	}
}
