package detector

import (
	"math"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/liveproof/liveproof"
)

// pixelsCase is a picture, a place in it and the network's input.
type pixelsCase struct {
	seed                    uint64
	width, height           int // of the picture
	gap                     int // bytes between its rows
	square                  square
	inputWidth, inputHeight int
}

// check compares the vectorised C with definitions that go pixel by pixel.
func (c pixelsCase) check(t *testing.T) {
	img := endingAtAWall(t, c.width, c.height, c.gap)
	rnd := rand.New(rand.NewPCG(c.seed, 0))
	for i := range img.Pix {
		img.Pix[i] = byte(rnd.Uint32())
	}
	if c.seed%3 == 0 {
		blackAndWhite(img)
	}
	checkLetterbox(t, img, c.inputWidth, c.inputHeight)
	checkResize(t, img, c.square, inputSize)
	checkResize(t, img, c.square, cropSize)
	if got, want := measureLight(img), lightOf(img); got != want {
		t.Errorf("light is %+v, want %+v", got, want)
	}
}

// blackAndWhite leaves only pixels at either end, so that sums reach the ends of their ranges.
func blackAndWhite(img *liveproof.Image) {
	for y := range img.Height {
		for x := range img.Width {
			p := img.Pix[y*img.Stride+3*x:][:3]
			v := byte(int8(p[0]) >> 7)
			p[0], p[1], p[2] = v, v, v
		}
	}
}

// endingAtAWall returns a picture that is followed by memory which cannot be read: a loop that
// reads beyond the picture crashes the test.
func endingAtAWall(t *testing.T, width, height, gap int) *liveproof.Image {
	t.Helper()
	page := os.Getpagesize()
	img := &liveproof.Image{Width: width, Height: height, Stride: 3*width + gap}
	size := (height-1)*img.Stride + 3*width
	wall := (size + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, wall+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	if err := syscall.Mprotect(memory[wall:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	img.Pix = memory[wall-size : wall : wall]
	return img
}

func checkLetterbox(t *testing.T, img *liveproof.Image, width, height int) {
	t.Helper()
	b := letterbox{width: width, height: height}
	got := make([]float32, 3*width*height)
	b.fill(got, img)
	xs, ys := sampleTable(nil, img.Width, b.fitWidth, 3), sampleTable(nil, img.Height, b.fitHeight, 1)
	for i, v := range got {
		plane, y, x := i/(width*height), i/width%height, i%width
		var want float32
		if x < b.fitWidth && y < b.fitHeight {
			sum := 0
			for _, py := range []uint32{ys[y], ys[b.fitHeight+y]} {
				for _, px := range []uint32{xs[x], xs[b.fitWidth+x]} {
					sum += int(img.Pix[int(py)*img.Stride+int(px)+2-plane])
				}
			}
			want = float32(sum)/4 - meanBGR[plane]
		}
		if v != want {
			t.Fatalf("letterbox: plane %d at (%d,%d) is %v, want %v", plane, x, y, v, want)
		}
	}
}

func checkResize(t *testing.T, img *liveproof.Image, sq square, size int) {
	t.Helper()
	r := new(resizer)
	got := liveproof.NewImage(size, size)
	r.resize(got, img, sq)
	want := resizedOf(&r.kernel, img, sq)
	for i, v := range got.Pix {
		if v != want[i] {
			t.Fatalf("crop of %+v: value %d of pixel (%d,%d) is %d, want %d", sq, i%3, i/3%size, i/3/size, v, want[i])
		}
	}
}

// resizedOf is the separable filter k, rows first, rounded to 5 binary places
// between the passes.
func resizedOf(k *kernel, img *liveproof.Image, sq square) []byte {
	rows := make([][]int, sq.side)
	for p := int(k.first[0]); p < int(k.first[k.size-1])+k.n; p++ {
		row := img.Pix[clampInt(sq.top+p, img.Height)*img.Stride:]
		rows[p] = make([]int, 3*k.size)
		for i := range rows[p] {
			sum := 4
			for j := range k.n {
				at := 3*clampInt(sq.left+int(k.first[i/3])+j, img.Width) + i%3
				sum += int(row[at]) * int(k.weights[i/3*k.n+j])
			}
			rows[p][i] = sum >> 3
		}
	}
	var out []byte
	for y := range k.size {
		for i := range 3 * k.size {
			sum := 1 << 12
			for j := range k.n {
				sum += rows[int(k.first[y])+j][i] * int(k.weights[y*k.n+j])
			}
			out = append(out, byte(sum>>13))
		}
	}
	return out
}

// lightOf measures as measureLight does.
func lightOf(img *liveproof.Image) light {
	at := func(x, y int) int {
		p := img.Pix[y*img.Stride+3*x:]
		return luma(p[0], p[1], p[2])
	}
	var sum, sum2, clipped, laplace, squares, across, down int
	var middle levels
	for y := range img.Height {
		for x := range img.Width {
			sum += at(x, y)
			sum2 += at(x, y) * at(x, y)
			if at(x, y) >= 250 {
				clipped++
			}
			if x >= img.Width/4 && x < img.Width-img.Width/4 && y >= img.Height/5 && y < img.Height-img.Height/6 {
				middle[at(x, y)]++
			}
			if x > 0 && y > 0 && x < img.Width-1 && y < img.Height-1 {
				l := at(x-1, y) + at(x+1, y) + at(x, y-1) + at(x, y+1) - 4*at(x, y)
				laplace += l
				squares += l * l
				across += (at(x+1, y) - at(x, y)) * (at(x+1, y) - at(x, y))
				down += (at(x, y+1) - at(x, y)) * (at(x, y+1) - at(x, y))
			}
		}
	}
	n := float64(img.Width * img.Height)
	l := light{mean: float64(sum) / n, clipped: float64(clipped) / n, levels: middle}
	l.contrast = math.Sqrt(max(0, float64(sum2)/n-l.mean*l.mean))
	if inner := float64((img.Width - 2) * (img.Height - 2)); img.Width > 2 && img.Height > 2 {
		m := float64(laplace) / inner
		l.blur = float64(squares)/inner - m*m
		l.streak = max(-8, min(8, math.Log2((1+float64(down))/(1+float64(across)))))
	}
	return l
}

// For every size, place and gap the pixels equal those of the definitions exactly, because the
// scorer was trained on such pixels.
func TestPixelsEqualTheirDefinition(t *testing.T) {
	cases := []pixelsCase{
		{1, 640, 480, 0, square{157, 77, 325}, 320, 256},
		{2, 640, 480, 0, square{220, 140, 200}, 320, 256},
		{3, 640, 480, 0, square{-100, -80, 700}, 320, 256}, // four rows a pixel
		{4, 320, 256, 960, square{0, 0, 256}, 320, 256},    // the left half of a wider picture
		{5, 1920, 1080, 0, square{100, -100, 1300}, 320, 256},
		{6, 1, 1, 0, square{-5000, 7000, 2}, 320, 256},
		{7, 2, 3, 5, square{0, 0, 2}, 31, 17},
		{9, 30000, 3, 1, square{29900, -3, 257}, 320, 256}, // the Laplacian's squares in one row need more than 32 bits
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(60) {
		w, h := 1+rnd.IntN(700), 1+rnd.IntN(500)
		cases = append(cases, pixelsCase{
			seed: i, width: w, height: h, gap: rnd.IntN(40),
			square:     square{left: rnd.IntN(2*w) - w, top: rnd.IntN(2*h) - h, side: 2 + rnd.IntN(900)},
			inputWidth: 1 + rnd.IntN(330), inputHeight: 1 + rnd.IntN(260),
		})
	}
	for _, c := range cases {
		c.check(t)
		if t.Failed() {
			t.Fatalf("in %+v", c)
		}
	}
}

func FuzzPixels(f *testing.F) {
	f.Add(uint64(1), uint16(640), uint16(480), uint8(0), int16(157), int16(77), uint16(325))
	f.Add(uint64(3), uint16(3), uint16(1), uint8(9), int16(-900), int16(900), uint16(0))
	f.Fuzz(func(t *testing.T, seed uint64, width, height uint16, gap uint8, left, top int16, side uint16) {
		pixelsCase{
			seed: seed, width: 1 + int(width)%700, height: 1 + int(height)%300, gap: int(gap),
			square:     square{left: int(left), top: int(top), side: 2 + int(side)%1200},
			inputWidth: 320, inputHeight: 256,
		}.check(t)
	})
}
