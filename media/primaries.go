package media

// #include <libavutil/csp.h>
// #include <libavutil/pixfmt.h>
import "C"

// matrix3 is row by row.
type matrix3 [3][3]float64

// toBT709 converts linear light from other primaries, with Bradford's adaptation where white is another (as in
// Lindbloom, "Chromatic Adaptation").
func toBT709(from *C.AVColorPrimariesDesc) matrix3 {
	bt709 := C.av_csp_primaries_desc_from_id(C.AVCOL_PRI_BT709)
	return toXYZ(bt709).inverse().times(adaptation(from.wp, bt709.wp)).times(toXYZ(from))
}

// toXYZ is the matrix whose columns are the primaries in CIE XYZ, scaled so that they add up to white.
func toXYZ(p *C.AVColorPrimariesDesc) (m matrix3) {
	for i, xy := range [3]C.AVCIExy{p.prim.r, p.prim.g, p.prim.b} {
		v := tristimulus(xy)
		m[0][i], m[1][i], m[2][i] = v[0], v[1], v[2]
	}
	share := m.inverse().apply(tristimulus(p.wp))
	for i := range m {
		for j := range m {
			m[i][j] *= share[j]
		}
	}
	return m
}

// tristimulus is XYZ with Y = 1.
func tristimulus(c C.AVCIExy) [3]float64 {
	x, y := float64(c.x.num)/float64(c.x.den), float64(c.y.num)/float64(c.y.den)
	return [3]float64{x / y, 1, (1 - x - y) / y}
}

func adaptation(from, to C.AVCIExy) matrix3 {
	bradford := matrix3{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	a, b := bradford.apply(tristimulus(from)), bradford.apply(tristimulus(to))
	var scale matrix3
	for i := range scale {
		scale[i][i] = b[i] / a[i]
	}
	return bradford.inverse().times(scale).times(bradford)
}

func (m matrix3) apply(v [3]float64) (out [3]float64) {
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func (m matrix3) times(n matrix3) (out matrix3) {
	for i := range m {
		for j := range n {
			out[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return out
}

// inverse by cofactors; the matrices here are never singular.
func (m matrix3) inverse() (out matrix3) {
	cofactor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	determinant := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	for i := range m {
		for j := range m {
			out[j][i] = cofactor(i, j) / determinant
		}
	}
	return out
}
