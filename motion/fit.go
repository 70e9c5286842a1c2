package motion

import "math"

// What may differ between two pictures of one photograph, to first order. The first planar terms are the eight of a homography: they move
// a plane. Then come light (gain, offset and a slope along both axes) and sharpness (the Laplacian). Only these are fitted in steps. Next is tone, the
// square of the luma, by which a camera's exposure differs from gain. The last terms bend the plane: smooth displacements of the second and
// third order along both axes, as of a bent print.
const (
	planar = 8
	gain   = planar
	rigid  = planar + 5 // the terms that are fitted in steps
	tone   = rigid
	terms  = rigid + 1 + 2*7
)

// damping is that of each kind of term for each point, so that a face without contrast has a solution: no motion.
const (
	dampMotion = 0.5
	dampLight  = 1e-4
)

// sighting is what a point of the reference shows.
type sighting struct {
	value float32
	trust float32 // by which differences are multiplied: 1 without contrast, less where the luma is steep
	terms [terms]float32
}

// reference is a patch prepared for the comparison with later ones (inverse compositional alignment: S. Baker and I. Matthews,
// Lucas-Kanade 20 years on, IJCV 56(3), 2004).
type reference struct {
	points []sighting            // of the grid
	factor [terms][terms]float64 // Cholesky factor of the normal equations
	sound  bool                  // the equations can be solved
}

// prepare fills the reference from a patch.
func (r *reference) prepare(p *patch) {
	if r.points == nil {
		r.points = make([]sighting, len(grid))
	}
	var mean float32
	for k := range grid {
		r.points[k].see(p, &grid[k])
		mean += r.points[k].value / float32(len(grid))
	}
	for k := range r.points { // so that gain and offset do not stand for each other
		t := &r.points[k].terms
		t[gain] -= mean
		t[tone] = t[gain] * t[gain] / side
	}
	r.factorise()
}

// steepness: an error in place of this many points of the patch is not trusted.
const steepness = 0.15

func (s *sighting) see(p *patch, n *node) {
	i := n.at
	gx, gy := (p[i+1]-p[i-1])/2, (p[i+wide]-p[i-wide])/2
	s.value = p[i]
	s.trust = 1 / float32(math.Sqrt(float64(1+steepness*steepness*(gx*gx+gy*gy))))
	laplacian := p[i+1] + p[i-1] + p[i+wide] + p[i-wide] - 4*p[i]
	gx, gy = gx*side/2, gy*side/2 // for each unit of u and v
	u, v, along := n.u, n.v, gx*n.u+gy*n.v
	s.terms = [terms]float32{gx * u, gx * v, gx, gy * u, gy * v, gy, -along * u, -along * v, p[i], 1, u, v, laplacian}
	for k, m := range [...]float32{u * u, u * v, v * v, u * u * u, u * u * v, u * v * v, v * v * v} {
		s.terms[tone+1+2*k], s.terms[tone+2+2*k] = gx*m, gy*m
	}
}

// factorise prepares the normal equations.
//
//nolint:gosec // every index is below terms
func (r *reference) factorise() {
	var sums [terms][terms]float32
	for k := range r.points {
		t := &r.points[k].terms
		for i := range terms {
			row, ti := &sums[i], t[i]
			for j := range i + 1 {
				row[j] += ti * t[j]
			}
		}
	}
	var damped [terms][terms]float64
	for i := range terms {
		for j := range i + 1 {
			damped[i][j] = float64(sums[i][j])
		}
		damp := dampMotion
		if i >= gain && i <= tone {
			damp = dampLight
		}
		damped[i][i] += damp * float64(len(r.points))
	}
	r.sound = cholesky(&r.factor, &damped)
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

// solve returns the amounts of the first n terms for the sums of their products with the differences; the factor of a part of the
// equations is a part of the factor.
func (r *reference) solve(b *[terms]float64, n int) (x [terms]float64) {
	for i := range n {
		s := b[i]
		for k := range i {
			s -= r.factor[i][k] * x[k]
		}
		x[i] = s / r.factor[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		s := x[i]
		for k := i + 1; k < n; k++ {
			s -= r.factor[k][i] * x[k]
		}
		x[i] = s / r.factor[i][i]
	}
	return x
}

const (
	maxSteps = 10
	// settled is a step that moves a point by less than a hundredth of one.
	settled = 0.01 / (side / 2)
	// outside marks a node without a counterpart in the later patch.
	outside = 1 << 20
)

// fit is what remains of the difference between a reference and a later patch when motion of a photograph, light and sharpness are taken
// off.
type fit struct {
	warp homography // from the reference's coordinates to those of the later patch
	rest []float32  // levels, for each node
}

// compare aligns the patch with the reference. It reports false where there is no solution, or a quarter of the face has no counterpart.
func (r *reference) compare(p *patch, f *fit) bool {
	f.warp = identity
	if !r.sound {
		return false
	}
	for range maxSteps {
		sums, inside := r.differences(p, f)
		if inside < len(grid)*3/4 {
			return false
		}
		amount := r.solve(&sums, rigid)
		moved := 0.0
		for _, a := range amount[:planar] {
			moved = max(moved, math.Abs(a))
		}
		if !(moved >= settled) {
			break
		}
		warp, ok := f.warp.afterInverse(plane(amount[:planar]))
		if !ok {
			return false
		}
		f.warp = warp
	}
	f.takeOff(r, r.solve(f.sums(r), terms))
	return true
}

// differences fills rest with the later patch minus the reference, and returns its sums with the rigid terms.
func (r *reference) differences(p *patch, f *fit) (sums [terms]float64, inside int) {
	if f.rest == nil {
		f.rest = make([]float32, len(grid))
	}
	var acc [rigid]float32
	w := f.warp.single()
	for k := range grid {
		x, y := w.place(grid[k].u, grid[k].v)
		f.rest[k] = outside
		if !(x >= 0 && y >= 0 && x < wide-1 && y < wide-1) {
			continue
		}
		inside++
		s := &r.points[k]
		d := p.sample(x, y) - s.value
		f.rest[k] = d
		for i := range acc {
			acc[i] += d * s.terms[i]
		}
	}
	for i, a := range acc {
		sums[i] = float64(a)
	}
	return sums, inside
}

// sums are those of rest with all terms.
func (f *fit) sums(r *reference) *[terms]float64 {
	var acc [terms]float32
	for k, d := range f.rest {
		if d == outside {
			continue
		}
		for i, t := range &r.points[k].terms {
			acc[i] += d * t
		}
	}
	var sums [terms]float64
	for i, a := range acc {
		sums[i] = float64(a)
	}
	return &sums
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

// takeOff subtracts the terms.
func (f *fit) takeOff(r *reference, amount [terms]float64) {
	var a [terms]float32
	for i := range a {
		a[i] = float32(amount[i])
	}
	for k := range f.rest {
		if f.rest[k] == outside {
			continue
		}
		for i, t := range &r.points[k].terms {
			f.rest[k] -= a[i] * t
		}
	}
}

const (
	// noisy is the root mean square of what remains up to which it may be noise of any kind, in levels.
	noisy = 1.5
	// burst is by how much the rest of it counts less.
	burst = 3
)

// residual is how much more than noise remains, in levels. It is the larger of two measures:
//
//   - the root of the mean product of what remains at nodes that are apart. Noise, which differs from node to node, gives about 0; a
//     mouth or a head that has moved gives its change;
//   - what remains beyond noisy, by its power: an eye that shuts changes much in few nodes.
//
// What remains counts less where the luma is steep, because a small error of place is large there.
func (f *fit) residual(r *reference) float64 {
	var power, product float64
	nodes, pairs := 0, 0
	for k := range grid {
		d, known := f.weighed(r, k)
		if !known {
			continue
		}
		power += d * d
		nodes++
		for _, other := range [...]int{grid[k].right, grid[k].below} {
			if o, known := f.weighed(r, other); known {
				product += d * o
				pairs++
			}
		}
	}
	if pairs == 0 {
		return 0
	}
	beyond := max(0, power/float64(nodes)-noisy*noisy) / (burst * burst)
	return math.Sqrt(max(product/float64(pairs), beyond))
}

// weighed is what remains at a node, times its trust.
func (f *fit) weighed(r *reference, k int) (d float64, known bool) {
	if k < 0 || f.rest[k] == outside {
		return 0, false
	}
	return float64(f.rest[k] * r.points[k].trust), true
}
