package detector

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/liveproof/liveproof"
)

func TestMakePriors(t *testing.T) {
	p := makePriors(320, 256)
	if len(p) != 3360 {
		t.Fatalf("%d priors for 320×256, want 3360 as the network yields", len(p))
	}
	tests := []struct {
		at   int
		want prior
	}{
		{0, prior{4, 4, 16}},
		{1, prior{4, 4, 32}},
		{2, prior{12, 4, 16}},                   // columns come before rows
		{2 * 40, prior{4, 12, 16}},              // second row of the first stride
		{2 * 40 * 32, prior{8, 8, 64}},          // stride 16
		{2*40*32 + 2*20*16, prior{16, 16, 256}}, // stride 32
		{3359, prior{304, 240, 512}},
	}
	for _, tt := range tests {
		if p[tt.at] != tt.want {
			t.Errorf("prior %d is %v, want %v", tt.at, p[tt.at], tt.want)
		}
	}
}

// emptyOutputs are those of a 64×64 input without a face: 168 priors.
func emptyOutputs(d *decoder) outputs {
	n := len(d.priors)
	o := outputs{make([]float32, 4*n), make([]float32, 2*n), make([]float32, 10*n)}
	for i := range n {
		o.conf[2*i] = 1
	}
	return o
}

func smallDecoder() *decoder {
	cfg := DefaultConfig()
	cfg.Width, cfg.Height = 64, 64
	return newDecoder(cfg)
}

func TestDecodeOneFace(t *testing.T) {
	d := smallDecoder()
	o := emptyOutputs(d)
	at := 2*64 + 5 // stride 16: column 2, row 0, size 128 → centre (40, 8)
	if d.priors[at] != (prior{40, 8, 128}) {
		t.Fatalf("prior is %v", d.priors[at])
	}
	o.conf[2*at], o.conf[2*at+1] = 0.1, 0.9
	copy(o.loc[4*at:], []float32{0.5, -0.25, float32(math.Log(0.5) / 0.2), 0})
	copy(o.lm[10*at:], []float32{-1, 0, 1, 0, 0, 1, -1, 2, 1, 2})
	faces := d.decode(o, 2, 3)
	if len(faces) != 1 {
		t.Fatalf("%d faces, want 1", len(faces))
	}
	// Centre 40+0.5·0.1·128 = 46.4, 8-0.25·0.1·128 = 4.8; size 64×128.
	want := liveproof.Box{X1: 2 * 14.4, Y1: 3 * -59.2, X2: 2 * 78.4, Y2: 3 * 68.8}
	if !nearBox(faces[0].Box, want, 0.01) || faces[0].Confidence != 0.9 {
		t.Errorf("face %v, want box %v", faces[0], want)
	}
	lm := faces[0].Landmarks
	corners := liveproof.Box{X1: lm[0].X, Y1: lm[0].Y, X2: lm[4].X, Y2: lm[4].Y}
	if !nearBox(corners, liveproof.Box{X1: 2 * (40 - 12.8), Y1: 3 * 8, X2: 2 * (40 + 12.8), Y2: 3 * (8 + 25.6)}, 0.01) {
		t.Errorf("landmarks %v", *lm)
	}
}

func nearBox(a, b liveproof.Box, tolerance float32) bool {
	d := max(a.X1-b.X1, b.X1-a.X1, a.Y1-b.Y1, b.Y1-a.Y1, a.X2-b.X2, b.X2-a.X2, a.Y2-b.Y2, b.Y2-a.Y2)
	return d <= tolerance
}

func TestDecodeDropsWhatIsNoFace(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name string
		edit func(o outputs)
		want int
	}{
		{"a face", func(outputs) {}, 1},
		{"below the threshold", func(o outputs) { o.conf[1] = 0.59 }, 0},
		{"NaN confidence", func(o outputs) { o.conf[1] = nan }, 0},
		{"confidence above 1", func(o outputs) { o.conf[1] = 1.5 }, 0},
		{"infinite confidence", func(o outputs) { o.conf[1] = inf }, 0},
		{"NaN centre", func(o outputs) { o.loc[0] = nan }, 0},
		{"infinite centre", func(o outputs) { o.loc[1] = -inf }, 0},
		{"NaN size", func(o outputs) { o.loc[2] = nan }, 0},
		{"infinite size", func(o outputs) { o.loc[3] = inf }, 0},
		{"overflowing size", func(o outputs) { o.loc[3] = 600 }, 0},
		{"no size", func(o outputs) { o.loc[2] = -inf }, 0},
		{"larger than anything", func(o outputs) { o.loc[2] = 15 }, 0},
		{"far off", func(o outputs) { o.loc[0] = 1e6 }, 0},
		{"too narrow for its place", func(o outputs) { o.loc[0], o.loc[2] = -150, float32(math.Log(1e-7)/varianceSize) }, 0},
		{"too low for its place", func(o outputs) { o.loc[1], o.loc[3] = -150, float32(math.Log(1e-7)/varianceSize) }, 0},
		{"NaN landmark", func(o outputs) { o.lm[9] = nan }, 0},
		{"landmark far off", func(o outputs) { o.lm[4] = 1e9 }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := smallDecoder()
			o := emptyOutputs(d)
			o.conf[1] = 0.9
			tt.edit(o)
			if got := d.decode(o, 1, 1); len(got) != tt.want {
				t.Errorf("%d faces %v, want %d", len(got), got, tt.want)
			}
		})
	}
}

func TestDecodeOutputsTooShort(t *testing.T) {
	d := smallDecoder()
	o := emptyOutputs(d)
	o.conf[1] = 0.9
	for _, short := range []outputs{{}, {o.loc, o.conf, nil}, {o.loc[1:], o.conf, o.lm}, {o.loc, o.conf[1:], o.lm}} {
		if got := d.decode(short, 1, 1); len(got) != 0 {
			t.Errorf("faces %v from short outputs", got)
		}
	}
}

func TestSuppress(t *testing.T) {
	box := func(x, y, side float32) liveproof.Box { return liveproof.Box{X1: x, Y1: y, X2: x + side, Y2: y + side} }
	tests := []struct {
		name string
		in   []candidate
		want []int // prior indices, in order
	}{
		{"none", nil, nil},
		{"the confident one stays", []candidate{{box(0, 0, 10), 0.7, 1}, {box(1, 0, 10), 0.9, 2}}, []int{2}},
		{"apart", []candidate{{box(0, 0, 10), 0.7, 1}, {box(20, 0, 10), 0.9, 2}}, []int{2, 1}},
		{"IoU 0.33 is below 0.4", []candidate{{box(0, 0, 10), 0.9, 1}, {box(5, 0, 10), 0.8, 2}}, []int{1, 2}},
		{"a dropped one drops nobody", []candidate{{box(0, 0, 10), 0.9, 1}, {box(3, 0, 10), 0.8, 2}, {box(6, 0, 10), 0.7, 3}}, []int{1, 3}},
		{"a tie falls to the first", []candidate{{box(0, 0, 10), 0.9, 7}, {box(0, 0, 10), 0.9, 3}}, []int{3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := smallDecoder()
			d.candidates = tt.in
			d.suppress()
			var got []int
			for _, c := range d.candidates {
				got = append(got, c.at)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("kept %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Fatalf("kept %v, want %v", got, tt.want)
				}
			}
		})
	}
}

// Output with a face at every prior must not take quadratic time.
func TestDecodeIsBounded(t *testing.T) {
	d := newDecoder(DefaultConfig())
	o := emptyOutputs(d)
	for i := range d.priors {
		o.conf[2*i+1] = 1
		o.loc[4*i+2], o.loc[4*i+3] = -15, -15 // too small to overlap
	}
	if got := d.decode(o, 1, 1); len(got) > maxCandidates {
		t.Errorf("%d faces, want at most %d", len(got), maxCandidates)
	}
}

func FuzzDecode(f *testing.F) {
	d := smallDecoder()
	good := emptyOutputs(d)
	good.conf[1] = 0.9
	var seed []byte
	for _, v := range good.loc {
		seed = binary.LittleEndian.AppendUint32(seed, math.Float32bits(v))
	}
	f.Add(seed, float32(2))
	f.Add([]byte{0, 0, 128, 127, 0, 0, 192, 127, 255, 255, 127, 127}, float32(0.5))
	f.Fuzz(func(t *testing.T, data []byte, scale float32) {
		o := emptyOutputs(d)
		for i, dst := range [][]float32{o.conf, o.loc, o.lm} { // the bytes are repeated as often as needed
			for k := range dst {
				if at := (4*k + i) % max(1, len(data)); at+4 <= len(data) {
					dst[k] = math.Float32frombits(binary.LittleEndian.Uint32(data[at:]))
				}
			}
		}
		if !(scale > 0 && scale < 100) {
			scale = 1
		}
		for _, face := range d.decode(o, scale, scale) {
			checkFace(t, face, d.maxSide*scale)
		}
	})
}

func checkFace(t *testing.T, f liveproof.Face, limit float32) {
	t.Helper()
	if !(f.Confidence >= 0.6 && f.Confidence <= 1) {
		t.Errorf("confidence %v", f.Confidence)
	}
	if b := f.Box; !(b.Width() > 0 && b.Width() <= 1.01*limit && b.Height() > 0 && b.Height() <= 1.01*limit) {
		t.Errorf("box %v", b)
	}
	for _, p := range f.Landmarks {
		if !(p.X >= -limit && p.X <= limit && p.Y >= -limit && p.Y <= limit) {
			t.Errorf("landmark %v", p)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	d := newDecoder(DefaultConfig())
	o := emptyOutputs(d)
	for i := 1500; i < 1520; i++ { // about what one face gives
		o.conf[2*i+1] = 0.9
	}
	b.ReportAllocs()
	for b.Loop() {
		d.decode(o, 2, 2)
	}
}
