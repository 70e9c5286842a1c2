package detector

import (
	"testing"

	"github.com/liveproof/liveproof"
)

func TestLetterboxGeometry(t *testing.T) {
	tests := []struct{ w, h, fitW, fitH int }{
		{640, 480, 320, 240},
		{1280, 720, 320, 180},
		{480, 640, 192, 256},
		{320, 256, 320, 256},
		{160, 128, 320, 256},
		{1, 1, 256, 256},
		{1920, 1920, 256, 256},
		{1920, 1, 320, 1},
		{1, 1920, 1, 256},
		{30000, 2, 320, 1},
	}
	for _, tt := range tests {
		b := letterbox{width: 320, height: 256}
		b.prepare(tt.w, tt.h)
		if b.fitWidth != tt.fitW || b.fitHeight != tt.fitH {
			t.Errorf("%d×%d fits as %d×%d, want %d×%d", tt.w, tt.h, b.fitWidth, b.fitHeight, tt.fitW, tt.fitH)
		}
		sx, sy := b.scale()
		if sx*float32(b.fitWidth) != float32(tt.w) || sy*float32(b.fitHeight) != float32(tt.h) {
			t.Errorf("%d×%d: scale %v, %v does not lead back", tt.w, tt.h, sx, sy)
		}
	}
}

// Halving is the exact mean of four pixels, in planar BGR minus the mean.
func TestLetterboxHalves(t *testing.T) {
	img := goldenPicture(640, 480)
	b := letterbox{width: 320, height: 256}
	dst := make([]float32, 3*320*256)
	b.fill(dst, img)
	for _, at := range [][2]int{{0, 0}, {319, 0}, {0, 239}, {319, 239}, {17, 101}} {
		x, y := at[0], at[1]
		for c, mean := range [3]float32{meanR, meanG, meanB} {
			sum := 0
			for _, p := range [4][2]int{{2 * x, 2 * y}, {2*x + 1, 2 * y}, {2 * x, 2*y + 1}, {2*x + 1, 2*y + 1}} {
				sum += int(img.Pix[p[1]*img.Stride+3*p[0]+c])
			}
			plane := (2 - c) * 320 * 256 // blue first
			if got, want := dst[plane+y*320+x], float32(sum)/4-mean; got != want {
				t.Errorf("(%d,%d) channel %d: %v, want %v", x, y, c, got, want)
			}
		}
	}
	for i := 240 * 320; i < 256*320; i++ {
		if dst[i] != 0 {
			t.Fatalf("value %v at %d below the picture, want the mean colour", dst[i], i)
		}
	}
}

// A picture of another size must not leave a rim of the last one.
func TestLetterboxForgetsTheLastSize(t *testing.T) {
	b := letterbox{width: 320, height: 256}
	dst := make([]float32, 3*320*256)
	b.fill(dst, grey(640, 480, 255))
	b.fill(dst, grey(100, 400, 255))
	fresh := letterbox{width: 320, height: 256}
	want := make([]float32, len(dst))
	fresh.fill(want, grey(100, 400, 255))
	for i := range dst {
		if dst[i] != want[i] {
			t.Fatalf("value %d is %v, want %v", i, dst[i], want[i])
		}
	}
}

func TestLetterboxHostileSizes(t *testing.T) {
	b := letterbox{width: 320, height: 256}
	dst := make([]float32, 3*320*256)
	for _, size := range [][2]int{{1, 1}, {1920, 1920}, {1920, 1}, {1, 1920}, {2, 30000}, {319, 257}} {
		b.fill(dst, liveproof.NewImage(size[0], size[1]))
	}
}

func BenchmarkPreprocess(b *testing.B) {
	img := goldenPicture(640, 480)
	box := letterbox{width: 320, height: 256}
	dst := make([]float32, 3*320*256)
	for b.Loop() {
		box.fill(dst, img)
	}
}
