package identity

import (
	"math"

	"github.com/liveproof/liveproof"
)

// The grid of an appearance: head, hair and shoulders, aligned by the landmarks.
const (
	gridSide  = 56 // points along each side
	cellSide  = 7  // points along each side of a cell of the texture
	cells     = gridSide / cellSide
	bins      = 8 // directions of a gradient
	textures  = cells * cells * bins
	colours   = 3 * cells * cells
	bright    = 8   // is added to a colour before its logarithm, in levels: darkness has no hue
	faint     = 1   // is added to the strength of a cell's gradients, in levels: noise is no texture
	strongest = 0.2 // is the largest share of a cell's strength that one direction keeps (Dalal and Triggs, CVPR 2005)
)

// grid has its centre at the face's, and reaches one width of the embedder's input around it.
var grid = square{x: -56, y: -40, size: 224, cells: gridSide, points: 2}

// appearance describes a person's head and shoulders for comparison with pictures of the same session: the directions of the gradients in
// 8×8 cells (histograms of oriented gradients) and the logarithms of the colours in the same cells. Each half has mean 0 and norm √½, colours
// in each channel, so that brightness, contrast, gamma and the colour of the light cancel out. It never leaves the memory of the session.
type appearance [textures + colours]float32

// appearanceOf describes the face that s aligns.
func appearanceOf(img *liveproof.Image, s similarity) *appearance {
	var luma [gridSide][gridSide]float32
	var sums [3][cells * cells]float32
	grid.sample(img, s, func(x, y int, c [3]float32) {
		luma[y][x] = 0.299*c[0] + 0.587*c[1] + 0.114*c[2]
		at := y/cellSide*cells + x/cellSide
		sums[0][at], sums[1][at], sums[2][at] = sums[0][at]+c[0], sums[1][at]+c[1], sums[2][at]+c[2]
	})
	a := new(appearance)
	describeTexture(&luma, (*[textures]float32)(a[:textures]))
	normalise(a[:textures])
	for c := range sums {
		channel := a[textures+c*cells*cells:][:cells*cells]
		for i, v := range sums[c] {
			channel[i] = float32(math.Log(float64(v/(cellSide*cellSide)) + bright))
		}
		centre(channel)
	}
	normalise(a[textures:])
	return a
}

// describeTexture adds each point's gradient to the two nearest directions of the four nearest cells, and relates each cell's sums to the
// strength of the cells around it.
func describeTexture(luma *[gridSide][gridSide]float32, to *[textures]float32) {
	for y := 1; y < gridSide-1; y++ {
		for x := 1; x < gridSide-1; x++ {
			gx, gy := luma[y][x+1]-luma[y][x-1], luma[y+1][x]-luma[y-1][x]
			turn := direction(gx, gy)
			low := int(turn)
			strength := float32(math.Sqrt(float64(gx*gx + gy*gy)))
			high := (turn - float32(low)) * strength
			spread(to, x, y, low%bins, strength-high)
			spread(to, x, y, (low+1)%bins, high)
		}
	}
	relate(to)
}

// direction is the angle of a gradient, a full turn being bins, in [0, bins]. The polynomial is that of Abramowitz and Stegun, 4.4.49,
// whose error is at most 1e-5 radians; with math.Atan2 a view costs a tenth more (0.30 in place of 0.27 ms).
func direction(x, y float32) float32 {
	least, most := min(absolute(x), absolute(y)), max(absolute(x), absolute(y))
	if !(most > 0) {
		return 0
	}
	z := least / most
	q := z * z
	a := z * (0.9998660 + q*(-0.3302995+q*(0.1801410+q*(-0.0851330+q*0.0208351)))) * (bins / (2 * math.Pi))
	if absolute(y) > absolute(x) {
		a = bins/4 - a
	}
	if x < 0 {
		a = bins/2 - a
	}
	if y < 0 {
		a = bins - a
	}
	return a
}

func absolute(v float32) float32 { return max(v, -v) }

// spread adds v to the direction's sum in the four cells nearest to a point, bilinearly.
func spread(to *[textures]float32, x, y, bin int, v float32) {
	const scale = 1.0 / (cellSide * cellSide)
	fx, fy := (float32(x)+0.5)/cellSide-0.5, (float32(y)+0.5)/cellSide-0.5
	x0, y0 := int(fx+1)-1, int(fy+1)-1
	wx, wy := fx-float32(x0), fy-float32(y0)
	for i, row := range [2]float32{1 - wy, wy} {
		for j, weight := range [2]float32{(1 - wx) * row, wx * row} {
			cy, cx := min(max(y0+i, 0), cells-1), min(max(x0+j, 0), cells-1)
			to[(cy*cells+cx)*bins+bin] += weight * v * scale
		}
	}
}

// relate divides each cell by the strength of the 3×3 cells around it and limits every direction's share.
func relate(to *[textures]float32) {
	var energy [cells][cells]float32
	for i, v := range to {
		energy[i/bins/cells][i/bins%cells] += v * v
	}
	for y := range cells {
		for x := range cells {
			var sum, n float32
			for cy := max(0, y-1); cy <= min(cells-1, y+1); cy++ {
				for cx := max(0, x-1); cx <= min(cells-1, x+1); cx++ {
					sum, n = sum+energy[cy][cx], n+1
				}
			}
			strength := float32(math.Sqrt(float64(sum/n))) + faint
			for i := range bins {
				at := (y*cells+x)*bins + i
				to[at] = min(to[at]/strength, strongest)
			}
		}
	}
}

// likeness of two appearances is the mean of the correlations of their textures and of their colours, in [-1, 1]; 1 is the same.
func (a *appearance) likeness(o *appearance) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * o[i]
	}
	return sum
}

// centre makes the mean 0.
func centre(v []float32) {
	var mean float32
	for _, x := range v {
		mean += x / float32(len(v))
	}
	for i := range v {
		v[i] -= mean
	}
}

// normalise makes the mean 0 and the norm √½. What has hardly any contrast stays near 0, and so resembles nothing.
func normalise(v []float32) {
	centre(v)
	var norm float64
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	scale := float32(math.Sqrt(0.5 / max(norm, 1e-4)))
	for i := range v {
		v[i] *= scale
	}
}
