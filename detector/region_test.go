package detector

import (
	"math/rand/v2"
	"testing"

	"github.com/liveproof/liveproof"
)

func TestRegionAround(t *testing.T) {
	whole, n := Size{320, 256}, nearby{size: Size{128, 160}}
	box := func(x, y, w, h float32) liveproof.Box { return liveproof.Box{X1: x, Y1: y, X2: x + w, Y2: y + h} }
	for _, tt := range []struct {
		name          string
		width, height int
		box           liveproof.Box
		want          [4]int // x, y, width, height; zero: does not fit
	}{
		{"in the middle", 640, 480, box(270, 180, 100, 120), [4]int{192, 96, 256, 320}},
		{"on the grid of 32 pixels", 640, 480, box(279, 189, 100, 120), [4]int{192, 96, 256, 320}},
		{"at the left top", 640, 480, box(-20, 0, 100, 120), [4]int{0, 0, 256, 320}},
		{"at the right bottom", 640, 480, box(600, 400, 100, 120), [4]int{384, 160, 256, 320}},
		{"wide picture", 1280, 720, box(600, 300, 100, 120), [4]int{384, 64, 512, 640}},
		{"low picture", 640, 240, box(270, 80, 100, 120), [4]int{192, 0, 256, 240}},
		{"high picture", 240, 640, box(70, 260, 100, 120), [4]int{0, 120, 240, 400}},
		{"enlarged picture", 160, 120, box(70, 40, 30, 40), [4]int{56, 24, 64, 80}},
		{"too wide", 640, 480, box(200, 180, 240, 120), [4]int{}},
		{"too high", 640, 480, box(200, 100, 120, 300), [4]int{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := regionAround(grey(tt.width, tt.height, 0), whole, n, tt.box)
			if !ok {
				r = region{}
			}
			if got := [4]int{r.x, r.y, r.width, r.height}; got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// Whatever the picture and the box, a region lies in the picture and shows its pixels.
func TestRegionIsPartOfThePicture(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		img := liveproof.NewImage(1+random.IntN(700), 1+random.IntN(700))
		for i := range img.Pix {
			img.Pix[i] = byte(i * 7)
		}
		x, y := random.Float32()*float32(img.Width), random.Float32()*float32(img.Height)
		b := liveproof.Box{X1: x - 20, Y1: y - 20, X2: x + 20, Y2: y + 20}
		r, ok := regionAround(img, Size{320, 256}, nearby{size: Size{128, 160}}, b)
		if !ok {
			continue
		}
		if r.x < 0 || r.y < 0 || r.x+r.width > img.Width || r.y+r.height > img.Height {
			t.Fatalf("%+v of %d×%d pixels", r, img.Width, img.Height)
		}
		view := r.view(img)
		if err := checkImage(view); err != nil {
			t.Fatal(err)
		}
		vx, vy := random.IntN(r.width), random.IntN(r.height)
		if got, want := view.Pix[vy*view.Stride+3*vx], img.Pix[(r.y+vy)*img.Stride+3*(r.x+vx)]; got != want {
			t.Fatalf("pixel %d of the region %d, want %d", vx, got, want)
		}
	}
}
