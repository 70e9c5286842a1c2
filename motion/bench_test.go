package motion

import (
	"math"
	"testing"

	"github.com/liveproof/liveproof"
)

func scene(w, h int, dx, dy float64) *liveproof.Image {
	img := liveproof.NewImage(w, h)
	for y := range h {
		for x := range w {
			u, v := float64(x)-dx, float64(y)-dy
			g := byte(128 + 50*math.Sin(u/9+v/17) + 40*math.Cos(u/21-v/7))
			i := y*img.Stride + 3*x
			img.Pix[i], img.Pix[i+1], img.Pix[i+2] = g, g, g
		}
	}
	return img
}

var centred = liveproof.Face{
	Box:       liveproof.Box{X1: 250, Y1: 140, X2: 390, Y2: 330},
	Landmarks: &liveproof.Landmarks{{X: 286, Y: 210}, {X: 354, Y: 210}, {X: 320, Y: 250}, {X: 292, Y: 290}, {X: 348, Y: 290}},
}

var buffer blocks

func cut(p *patch, img *liveproof.Image) {
	buffer.cover(img, alignment(centred))
	p.cut(&buffer, alignment(centred))
}

func BenchmarkCut(b *testing.B) {
	img := scene(640, 480, 0, 0)
	var p patch
	for b.Loop() {
		cut(&p, img)
	}
}

func BenchmarkPrepare(b *testing.B) {
	img := scene(640, 480, 0, 0)
	var p patch
	cut(&p, img)
	var r reference
	for b.Loop() {
		r.prepare(&p)
	}
}

func BenchmarkCompare(b *testing.B) {
	var p, q patch
	cut(&p, scene(640, 480, 0, 0))
	cut(&q, scene(640, 480, 3, 2))
	var r reference
	r.prepare(&p)
	var f fit
	for b.Loop() {
		if !r.compare(&q, &f) {
			b.Fatal()
		}
	}
}
