package motion

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestHostileViews(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := talking(0).view(0)
	landmarks := func(x, y float32) *liveproof.Landmarks {
		return &liveproof.Landmarks{{X: x, Y: y}, {X: x, Y: y}, {X: x, Y: y}, {X: x, Y: y}, {X: x, Y: y}}
	}
	for name, spoil := range map[string]func(v *liveproof.View){
		"no picture": func(v *liveproof.View) { v.Image = nil },
		"one pixel":  func(v *liveproof.View) { v.Image = liveproof.NewImage(1, 1) },
		"too few bytes": func(v *liveproof.View) {
			v.Image = &liveproof.Image{Width: 640, Height: 480, Stride: 1920, Pix: make([]byte, 9)}
		},
		"rows too short": func(v *liveproof.View) {
			v.Image = &liveproof.Image{Width: 640, Height: 480, Stride: 3, Pix: make([]byte, 1<<20)}
		},
		"NaN":              func(v *liveproof.View) { v.Face.Landmarks = landmarks(nan, 3) },
		"infinite":         func(v *liveproof.View) { v.Face.Landmarks = landmarks(inf, -inf) },
		"all in one point": func(v *liveproof.View) { v.Face.Landmarks = landmarks(100, 100) },
		"outside": func(v *liveproof.View) {
			v.Face.Landmarks = &liveproof.Landmarks{{X: 1e6, Y: 0}, {X: 2e6, Y: 0}, {X: 1.5e6, Y: 1e6}, {X: 1e6, Y: 2e6}, {X: 2e6, Y: 2e6}}
		},
		"box without a size": func(v *liveproof.View) { v.Face = liveproof.Face{} },
		"box of NaN":         func(v *liveproof.View) { v.Face = liveproof.Face{Box: liveproof.Box{X1: nan, X2: nan}} },
	} {
		t.Run(name, func(t *testing.T) {
			v := good
			spoil(&v)
			e := New(DefaultConfig(), unregistered)
			for i := range 5 {
				v.Seq, v.T = int64(i), time.Duration(i)*time.Second/5
				f, err := e.Examine(t.Context(), v)
				require.NoError(t, err)
				require.Equal(t, liveproof.Finding{}, f)
			}
		})
	}
}

// TestSizesMayChange: a picture of another size is compared like any other.
func TestSizesMayChange(t *testing.T) {
	o := examined(t, New(DefaultConfig(), unregistered), 20, func(i int) liveproof.View {
		v := pose{dx: 5 * swing(i, 0.5)}.view(i)
		if i%3 == 0 {
			v.Image, v.Face = doubled(v.Image), larger(v.Face)
		}
		return v
	})
	require.Equal(t, -1, o.given, "residual up to %v", o.most)
}

// doubled repeats each pixel.
func doubled(img *liveproof.Image) *liveproof.Image {
	out := liveproof.NewImage(2*img.Width, 2*img.Height)
	for y := range out.Height {
		for x := range out.Width {
			copy(out.Pix[y*out.Stride+3*x:][:3], img.Pix[y/2*img.Stride+3*(x/2):])
		}
	}
	return out
}

func larger(f liveproof.Face) liveproof.Face {
	l := *f.Landmarks
	for i := range l {
		l[i] = liveproof.Point{X: 2*l[i].X + 0.5, Y: 2*l[i].Y + 0.5}
	}
	return liveproof.Face{Box: liveproof.Box{X1: 2 * f.Box.X1, Y1: 2 * f.Box.Y1, X2: 2 * f.Box.X2, Y2: 2 * f.Box.Y2}, Landmarks: &l}
}

// FuzzExamine: no picture and no landmarks make the examiner panic, or measure anything but finite numbers, and pictures without contrast are
// no evidence.
func FuzzExamine(f *testing.F) {
	f.Add(uint16(64), uint16(48), []byte{1, 2, 3, 200, 100, 0}, []byte{})
	f.Add(uint16(200), uint16(200), []byte{128}, binary.LittleEndian.AppendUint32(nil, math.Float32bits(60)))
	f.Fuzz(func(t *testing.T, w, h uint16, pixels, corners []byte) {
		img := liveproof.NewImage(int(w%400)+1, int(h%400)+1)
		for i := range img.Pix {
			if len(pixels) > 0 {
				img.Pix[i] = pixels[i%len(pixels)]
			}
		}
		e := New(DefaultConfig(), unregistered)
		for i := range 4 {
			l := face
			for k := range l {
				l[k].X += number(corners, 2*k+i)
				l[k].Y += number(corners, 2*k+1+i)
			}
			v := liveproof.View{Seq: int64(i), T: time.Duration(i) * time.Second / 5, Track: 1, Image: img, Face: liveproof.Face{Landmarks: &l}}
			found, err := e.Examine(t.Context(), v)
			require.NoError(t, err)
			for name, s := range found.Signals {
				require.False(t, math.IsNaN(s) || math.IsInf(s, 0), name)
			}
			if len(pixels) < 2 {
				require.Empty(t, found.Given)
			}
		}
	})
}

// number reads one of the numbers in data, which may be of any size.
func number(data []byte, i int) float32 {
	if len(data) < 4 {
		return 0
	}
	at := 4 * (i % (len(data) / 4))
	return math.Float32frombits(binary.LittleEndian.Uint32(data[at:]))
}
