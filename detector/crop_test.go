package detector

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"

	"github.com/liveproof/liveproof"
)

// goldenPicture is the formula of testdata/make_golden.py.
func goldenPicture(w, h int) *liveproof.Image {
	img := liveproof.NewImage(w, h)
	for y := range h {
		for x := range w {
			p := img.Pix[y*img.Stride+3*x:]
			p[0], p[1], p[2] = byte(x*5+y*3), byte((x*x+y*y)>>4), byte((x^y)*37+x*y)
		}
	}
	return img
}

type goldenCrop struct {
	Box    [4]float32
	Square [3]int
	At     []int
	RGB    []int
	Mean   [3]float64
}

func TestCropEqualsOpenCV(t *testing.T) {
	data, err := os.ReadFile("testdata/crops.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Width, Height int
		Cases         []goldenCrop
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	img := goldenPicture(golden.Width, golden.Height)
	pool := new(liveproof.ImagePool)
	cropper := newTestCropper(t)
	for _, g := range golden.Cases {
		f := liveproof.Face{Box: liveproof.Box{X1: g.Box[0], Y1: g.Box[1], X2: g.Box[2], Y2: g.Box[3]}}
		if sq := cropSquare(f.Box); [3]int{sq.left, sq.top, sq.side} != g.Square {
			t.Errorf("box %v: square %v, want %v", g.Box, sq, g.Square)
			continue
		}
		crop, err := cropper.Crop(img, f, pool)
		if err != nil {
			t.Fatalf("box %v: %v", g.Box, err)
		}
		compareCrop(t, g, crop)
		crop.Release()
	}
	if n := pool.Leased(); n != 0 {
		t.Errorf("%d images leased after all were released", n)
	}
}

func compareCrop(t *testing.T, g goldenCrop, crop *liveproof.Image) {
	t.Helper()
	if crop.Width != 224 || crop.Height != 224 {
		t.Fatalf("crop is %d×%d", crop.Width, crop.Height)
	}
	worst, off := 0, 0
	for i := range len(g.RGB) / 3 {
		p := crop.Pix[g.At[2*i+1]*crop.Stride+3*g.At[2*i]:]
		for c := range 3 {
			d := int(math.Abs(float64(int(p[c]) - g.RGB[3*i+c])))
			worst = max(worst, d)
			if d > 0 {
				off++
			}
		}
	}
	if worst > 1 {
		t.Errorf("box %v side %d: off by up to %d levels, want ≤ 1", g.Box, g.Square[2], worst)
	}
	t.Logf("side %3d: worst %d, %4.1f %% of the values off by one", g.Square[2], worst, 100*float64(off)/float64(len(g.RGB)))
	// OpenCV cuts off instead of rounding inside its bilinear pass, which costs it 0.13 levels.
	bias := 0.03
	if g.Square[2] <= cropSize {
		bias = 0.15
	}
	mean := meanRGB(crop)
	for c := range 3 {
		if math.Abs(mean[c]-g.Mean[c]) > bias {
			t.Errorf("box %v: mean of channel %d is %.3f, want %.3f", g.Box, c, mean[c], g.Mean[c])
		}
	}
}

func meanRGB(img *liveproof.Image) (mean [3]float64) {
	for i, v := range img.Pix {
		mean[i%3] += float64(v)
	}
	for c := range mean {
		mean[c] /= float64(img.Width * img.Height)
	}
	return mean
}

func newTestCropper(tb testing.TB) *Cropper {
	tb.Helper()
	c, err := NewCropper(DefaultConfig())
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestCropHostile(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tiny, large := liveproof.NewImage(1, 1), liveproof.NewImage(1920, 1920)
	short := liveproof.NewImage(64, 64)
	short.Pix = short.Pix[:100]
	tests := []struct {
		name string
		img  *liveproof.Image
		box  liveproof.Box
		ok   bool
	}{
		{"one pixel", tiny, liveproof.Box{X2: 1, Y2: 1}, true},
		{"large", large, liveproof.Box{X1: -900, Y1: -900, X2: 2800, Y2: 2800}, true},
		{"strip", liveproof.NewImage(1920, 1), liveproof.Box{X2: 300, Y2: 1}, true},
		{"far outside", tiny, liveproof.Box{X1: -9000, Y1: -9000, X2: -8800, Y2: -8800}, true},
		{"no image", nil, liveproof.Box{X2: 9, Y2: 9}, false},
		{"short buffer", short, liveproof.Box{X2: 9, Y2: 9}, false},
		{"empty box", large, liveproof.Box{}, false},
		{"inverted box", large, liveproof.Box{X1: 9, Y1: 9}, false},
		{"NaN box", large, liveproof.Box{X1: nan, Y1: 0, X2: 9, Y2: 9}, false},
		{"infinite box", large, liveproof.Box{X1: -inf, Y1: -inf, X2: inf, Y2: inf}, false},
		{"huge box", large, liveproof.Box{X2: 1e9, Y2: 1e9}, false},
		{"far off box", large, liveproof.Box{X1: 1e9, Y1: 1e9, X2: 1e9 + 500, Y2: 1e9 + 500}, false},
	}
	cropper := newTestCropper(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pool := new(liveproof.ImagePool)
			crop, err := cropper.Crop(tt.img, liveproof.Face{Box: tt.box}, pool)
			if tt.ok != (err == nil) || err != nil && !errors.Is(err, ErrImage) {
				t.Fatalf("error %v", err)
			}
			crop.Release()
			if n := pool.Leased(); n != 0 {
				t.Errorf("%d images leaked", n)
			}
		})
	}
}

// A crop must not depend on what the scratch held before.
func TestCropForgetsTheLastOne(t *testing.T) {
	img, pool, cropper := goldenPicture(640, 480), new(liveproof.ImagePool), newTestCropper(t)
	boxes := []liveproof.Box{{X1: 100, Y1: 100, X2: 300, Y2: 320}, {X1: 10, Y1: 10, X2: 60, Y2: 70}, {X1: -50, Y1: 0, X2: 640, Y2: 480}}
	fresh := map[int][]byte{}
	for i, b := range boxes {
		crop, err := newTestCropper(t).Crop(img, liveproof.Face{Box: b}, pool)
		if err != nil {
			t.Fatal(err)
		}
		fresh[i] = crop.Pix
	}
	for round := range 9 {
		i := round % len(boxes)
		crop, err := cropper.Crop(img, liveproof.Face{Box: boxes[i]}, pool)
		if err != nil {
			t.Fatal(err)
		}
		if string(crop.Pix) != string(fresh[i]) {
			t.Errorf("round %d: box %v gives another crop than at first", round, boxes[i])
		}
	}
}

// Training data keeps the whole square, the scorer sees its centre: the same pixels, whatever the size and place.
func TestCropIsTheCentreOfTheWhole(t *testing.T) {
	img, pool, cropper := goldenPicture(640, 480), new(liveproof.ImagePool), newTestCropper(t)
	for _, side := range []float32{1, 2, 20, 150, 196, 197, 198, 250, 300, 394, 396, 480, 900} {
		face := liveproof.Face{Box: liveproof.Box{X1: 310 - side/2, Y1: 245 - side/2, X2: 310 + side/2, Y2: 245 + side/2.3}}
		want, err := cropper.Crop(img, face, pool)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := cropper.CropWhole(img, face, pool)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Centre(whole, pool)
		if err != nil {
			t.Fatal(err)
		}
		if whole.Width != 256 || whole.Height != 256 || got.Width != 224 || got.Height != 224 || string(got.Pix) != string(want.Pix) {
			t.Errorf("side %v: the centre of %d×%d is not the crop", side, whole.Width, whole.Height)
		}
	}
	if _, err := Centre(img, pool); !errors.Is(err, ErrImage) {
		t.Errorf("centre of 640×480: %v", err)
	}
}

func BenchmarkCrop(b *testing.B) {
	img, pool, cropper := goldenPicture(640, 480), new(liveproof.ImagePool), newTestCropper(b)
	for name, side := range map[string]float32{"grow200": 154, "shrink325": 250, "shrink442": 340} {
		box := liveproof.Box{X1: 320 - side/2, Y1: 240 - side/2, X2: 320 + side/2, Y2: 240 + side/2}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				crop, err := cropper.Crop(img, liveproof.Face{Box: box}, pool)
				if err != nil {
					b.Fatal(err)
				}
				crop.Release()
			}
		})
	}
}

func BenchmarkAssess(b *testing.B) {
	img, pool, cropper := goldenPicture(640, 480), new(liveproof.ImagePool), newTestCropper(b)
	f := liveproof.Face{Box: liveproof.Box{X1: 200, Y1: 100, X2: 400, Y2: 340}}
	crop, err := cropper.Crop(img, f, pool)
	if err != nil {
		b.Fatal(err)
	}
	defer crop.Release()
	b.ReportAllocs()
	for b.Loop() {
		cropper.Assess(img, crop, f)
	}
}

// The loops in C rely on weights that are not negative and sum to weightOne.
func TestKernelWeights(t *testing.T) {
	var k kernel
	for side := 2; side <= maxCropSide; side++ {
		k.build(side, cropSize)
		for i := range k.size {
			sum := 0
			for _, w := range k.weights[i*k.n:][:k.n] {
				if w > weightOne {
					t.Fatalf("side %d, output pixel %d: weight %d", side, i, int16(w))
				}
				sum += int(w)
			}
			if first := int(k.first[i]); sum != weightOne || first < 0 || first+k.n > side {
				t.Fatalf("side %d, output pixel %d: the weights sum to %d, of pixels %d to %d", side, i, sum, first, first+k.n-1)
			}
		}
	}
}
