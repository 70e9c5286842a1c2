package motion

import "math"

// homography maps (u, v, 1), row by row, with a last element of 1.
type homography [9]float64

var identity = homography{1, 0, 0, 0, 1, 0, 0, 0, 1}

// plane is the homography of planar terms.
func plane(t []float64) homography {
	return homography{1 + t[0], t[1], t[2], t[3], 1 + t[4], t[5], t[6], t[7], 1}
}

// afterInverse is h ∘ g⁻¹; false when there is none.
func (h homography) afterInverse(g homography) (homography, bool) {
	adjugate := homography{
		g[4]*g[8] - g[5]*g[7], g[2]*g[7] - g[1]*g[8], g[1]*g[5] - g[2]*g[4],
		g[5]*g[6] - g[3]*g[8], g[0]*g[8] - g[2]*g[6], g[2]*g[3] - g[0]*g[5],
		g[3]*g[7] - g[4]*g[6], g[1]*g[6] - g[0]*g[7], g[0]*g[4] - g[1]*g[3],
	}
	var out homography
	for i := range 3 {
		for j := range 3 {
			out[3*i+j] = h[3*i]*adjugate[j] + h[3*i+1]*adjugate[3+j] + h[3*i+2]*adjugate[6+j]
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

// single is a homography in single precision.
type single [9]float32

func (h homography) single() (w single) {
	for i := range h {
		w[i] = float32(h[i])
	}
	return w
}

// place is where a node of the reference lies in a later patch, in points from its first.
func (w *single) place(u, v float32) (x, y float32) {
	z := w[6]*u + w[7]*v + w[8]
	return (w[0]*u+w[1]*v+w[2])/z*(side/2) + (wide-1)/2.0, (w[3]*u+w[4]*v+w[5])/z*(side/2) + (wide-1)/2.0
}
