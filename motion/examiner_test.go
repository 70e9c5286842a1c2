package motion

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// pose is how a drawn face is seen.
type pose struct {
	dx, dy, zoom, roll, bend float64
	gain                     float64
	shut, open, turn         float64 // eyes, mouth, depth of the nose
	noise                    float64 // levels of each pixel
	seed                     uint64
}

const width, height = 320, 240

// unregistered metrics serve all tests.
var unregistered = NewMetrics(nil)

// face is where the drawn face's landmarks lie without a pose.
var face = liveproof.Landmarks{{X: 136, Y: 100}, {X: 184, Y: 100}, {X: 160, Y: 128}, {X: 142, Y: 156}, {X: 178, Y: 156}}

// place is where a point of the drawing is seen.
func (p pose) place(x, y float64) (float64, float64) {
	u, v := x-160, y-125
	u += p.bend * u * u * u / 2e4
	s, c := math.Sincos(p.roll)
	z := 1 + p.zoom
	return 160 + z*(c*u-s*v) + p.dx, 125 + z*(s*u+c*v) + p.dy
}

// source is where a pixel lies in the drawing.
func (p pose) source(x, y float64) (float64, float64) {
	s, c := math.Sincos(-p.roll)
	u, v := (x-160-p.dx)/(1+p.zoom), (y-125-p.dy)/(1+p.zoom)
	u, v = c*u-s*v, s*u+c*v
	w := u
	for range 5 {
		w = u - p.bend*w*w*w/2e4
	}
	return 160 + w, 125 + v
}

// draw paints a face with soft features.
func (p pose) draw() *liveproof.Image {
	img := liveproof.NewImage(width, height)
	r := rand.New(rand.NewPCG(p.seed, 1))
	blob := func(x, y, cx, cy, rx, ry float64) float64 {
		a, b := (x-cx)/rx, (y-cy)/ry
		if a*a+b*b > 9 {
			return 0
		}
		return math.Exp(-(a*a + b*b))
	}
	for i := range width * height {
		x, y := p.source(float64(i%width), float64(i/width))
		v := 60 + 100*blob(x, y, 160, 128, 55, 70) + 8*math.Sin(x/7)*math.Cos(y/9)
		for _, cx := range []float64{136, 184} {
			v -= (1 - p.shut) * 70 * blob(x, y, cx, 100, 8, 5)
			v -= 40 * blob(x, y, cx, 88, 13, 4)
		}
		v += 25*blob(x, y, 160+p.turn, 120, 6, 18) - 30*blob(x, y, 160+p.turn, 131, 10, 4)
		v -= 50 * blob(x, y, 160, 156, 16, 4+8*p.open)
		g := byte(min(max((1+p.gain)*v+p.noise*r.NormFloat64(), 0), 255) + 0.5)
		img.Pix[3*i], img.Pix[3*i+1], img.Pix[3*i+2] = g, g, g
	}
	return img
}

// view shows the drawing at sample i; its landmarks are off by up to a pixel.
func (p pose) view(i int) liveproof.View {
	r := rand.New(rand.NewPCG(uint64(i), 2))
	l := face
	for k := range l {
		x, y := p.place(float64(l[k].X), float64(l[k].Y))
		l[k] = liveproof.Point{X: float32(x + 2*r.Float64() - 1), Y: float32(y + 2*r.Float64() - 1)}
	}
	box := liveproof.Box{X1: l[0].X - 30, Y1: l[0].Y - 50, X2: l[1].X + 30, Y2: l[3].Y + 40}
	return liveproof.View{
		Seq: int64(i + 1), T: time.Duration(i) * 200 * time.Millisecond, Track: 1,
		Image: p.draw(), Face: liveproof.Face{Box: box, Landmarks: &l, Confidence: 1},
	}
}

// outcome is what an examiner found in views of poses.
type outcome struct {
	given  int // first view with evidence, -1 without
	rigid  bool
	lowest float64 // residual
	most   float64
}

func examined(t testing.TB, e *Examiner, n int, at func(i int) liveproof.View) (o outcome) {
	o.given, o.lowest = -1, math.Inf(1)
	for i := range n {
		f, err := e.Examine(t.Context(), at(i))
		require.NoError(t, err)
		if len(f.Given) > 0 {
			require.Equal(t, []liveproof.Evidence{liveproof.EvidenceMotion}, f.Given)
			if o.given < 0 {
				o.given = i
			}
		}
		if len(f.Reasons) > 0 {
			require.Equal(t, []liveproof.Reason{liveproof.ReasonRigidMotion}, f.Reasons)
			o.rigid = true
		}
		if v, ok := f.Signals[SignalResidual]; ok {
			o.lowest, o.most = min(o.lowest, v), max(o.most, v)
		}
	}
	return o
}

// swing is a smooth motion in [-1, 1].
func swing(i int, hertz float64) float64 { return math.Sin(2 * math.Pi * hertz * float64(i) / 5) }

func TestPhotographsGiveNoEvidence(t *testing.T) {
	for name, c := range map[string]struct {
		at    func(i int) pose
		rigid bool
	}{
		"still":         {func(int) pose { return pose{} }, false},
		"panned":        {func(i int) pose { return pose{dx: 12 * swing(i, 0.5), dy: 6 * swing(i, 0.8)} }, true},
		"zoomed":        {func(i int) pose { return pose{zoom: 0.1 * swing(i, 0.6)} }, true},
		"rolled":        {func(i int) pose { return pose{roll: 0.1 * swing(i, 0.6)} }, true},
		"bent":          {func(i int) pose { return pose{bend: 0.3 * swing(i, 0.4), dx: 6 * swing(i, 0.7)} }, true},
		"lit":           {func(i int) pose { return pose{gain: 0.15 * swing(i, 1)} }, false},
		"noisy":         {func(i int) pose { return pose{noise: 8, seed: uint64(i)} }, false},
		"panned, noisy": {func(i int) pose { return pose{dx: 9 * swing(i, 0.7), noise: 6, seed: uint64(i)} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := examined(t, New(DefaultConfig(), unregistered), 25, func(i int) liveproof.View { return c.at(i).view(i) })
			require.Equal(t, -1, o.given, "residual up to %v", o.most)
			require.Equal(t, c.rigid, o.rigid)
		})
	}
}

func TestPeopleGiveEvidence(t *testing.T) {
	moving := func(p pose, i int) pose { p.dx, p.dy = 5*swing(i, 0.5), 3*swing(i, 0.3); return p }
	for name, at := range map[string]func(i int) pose{
		"talks":  func(i int) pose { return moving(pose{open: 0.5 + 0.5*swing(i, 1.3)}, i) },
		"blinks": func(i int) pose { return moving(pose{shut: float64((i % 6) / 5)}, i) },
		"turns":  func(i int) pose { return moving(pose{turn: 12 * swing(i, 0.5)}, i) },
		"talks, noisy": func(i int) pose {
			return moving(pose{open: 0.5 + 0.5*swing(i, 1.3), noise: 6, seed: uint64(i)}, i)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := examined(t, New(DefaultConfig(), unregistered), 15, func(i int) liveproof.View { return at(i).view(i) })
			require.GreaterOrEqual(t, o.given, 2, "residual up to %v", o.most)
			require.False(t, o.rigid)
		})
	}
}

func TestOneCutIsNoEvidence(t *testing.T) {
	o := examined(t, New(DefaultConfig(), unregistered), 20, func(i int) liveproof.View {
		p := pose{dx: 8 * swing(i, 0.5)}
		if i >= 8 {
			p.open, p.shut, p.turn = 1, 1, 8
		}
		return p.view(i)
	})
	require.Greater(t, o.most, 1.0, "the cut was seen")
	require.Equal(t, -1, o.given)
}

// TestTheRestOfAFadeIsNoEvidence: a fade from one face to a photograph is taken for another face in its middle.
func TestTheRestOfAFadeIsNoEvidence(t *testing.T) {
	before := pose{open: 1, shut: 1, turn: 16, dx: 5}.draw()
	faded := func(i int) liveproof.View {
		v := pose{dx: 6 * swing(i, 0.5)}.view(i)
		if left := 1 - float64(i-4)/4; left > 0 { // 0.8 s
			for k, p := range v.Image.Pix {
				v.Image.Pix[k] = byte(left*float64(before.Pix[k]) + (1-left)*float64(p))
			}
		}
		if i >= 5 {
			v.Track = 2
		}
		return v
	}
	o := examined(t, New(DefaultConfig(), unregistered), 30, func(i int) liveproof.View { return faded(i + 4) })
	require.Greater(t, o.most, 2*DefaultConfig().MinResidual, "the fade was seen")
	require.Equal(t, -1, o.given)
}

// TestAPersonWhoComesGivesEvidence: in time for a verdict, which needs two seconds.
func TestAPersonWhoComesGivesEvidence(t *testing.T) {
	e := New(DefaultConfig(), unregistered)
	examined(t, e, 10, func(i int) liveproof.View { return talking(i).view(i) })
	o := examined(t, e, 15, func(i int) liveproof.View {
		v := talking(i + 10).view(i + 10)
		v.Track = 2
		return v
	})
	require.Greater(t, o.given, int(settling/(200*time.Millisecond)))
	require.LessOrEqual(t, o.given, 10)
}

func talking(i int) pose { return pose{open: 0.5 + 0.5*swing(i, 1.3), dx: 4 * swing(i, 0.4)} }

// TestBeginsAnew: what was seen before a sample that the examiner was not shown, or of another face, counts no more.
func TestBeginsAnew(t *testing.T) {
	for name, spoil := range map[string]func(v *liveproof.View){
		"another face":      func(v *liveproof.View) { v.Track = 2 },
		"a sample left out": func(v *liveproof.View) { v.Seq++; v.T += 200 * time.Millisecond },
		"time runs back":    func(v *liveproof.View) { v.T = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			e := New(DefaultConfig(), unregistered)
			o := examined(t, e, 12, func(i int) liveproof.View { return talking(i).view(i) })
			require.GreaterOrEqual(t, o.given, 0)
			v := talking(12).view(12)
			spoil(&v)
			f, err := e.Examine(t.Context(), v)
			require.NoError(t, err)
			require.Empty(t, f.Given)
			require.Zero(t, e.sum)
		})
	}
}

// TestEvidenceFades: a photograph that takes a person's place does not live on the person's motion.
func TestEvidenceFades(t *testing.T) {
	e := New(DefaultConfig(), unregistered)
	examined(t, e, 12, func(i int) liveproof.View { return talking(i).view(i) })
	last := -1
	for i := 12; i < 24; i++ {
		p := talking(11)
		p.dx = 8 * swing(i, 0.5)
		f, err := e.Examine(t.Context(), p.view(i))
		require.NoError(t, err)
		if len(f.Given) > 0 {
			last = i
		}
	}
	require.LessOrEqual(t, last, 15)
	require.Zero(t, e.sum)
}

func TestBadlySeenFacesSayNothing(t *testing.T) {
	for _, r := range []liveproof.Reason{liveproof.ReasonBlurred, liveproof.ReasonLowBitrate, liveproof.ReasonTooDark, liveproof.ReasonLowContrast} {
		o := examined(t, New(DefaultConfig(), unregistered), 12, func(i int) liveproof.View {
			v := talking(i).view(i)
			v.Reasons = []liveproof.Reason{r}
			return v
		})
		require.Equal(t, outcome{given: -1, lowest: math.Inf(1)}, o, r)
	}
	o := examined(t, New(DefaultConfig(), unregistered), 12, func(i int) liveproof.View {
		v := talking(i).view(i)
		v.Reasons = []liveproof.Reason{liveproof.ReasonFaceTurned}
		return v
	})
	require.GreaterOrEqual(t, o.given, 0)
}

// TestCoarseEncodingRaisesTheLimit: the same change counts less where the encoder's noise is larger.
func TestCoarseEncodingRaisesTheLimit(t *testing.T) {
	with := func(step float32) float64 {
		return examined(t, New(DefaultConfig(), unregistered), 6, func(i int) liveproof.View {
			v := talking(i).view(i)
			v.Image.Coding = new(liveproof.Coding)
			for k := range v.Image.Coding.Quantisers {
				v.Image.Coding.Quantisers[k] = step
			}
			return v
		}).most
	}
	require.InDelta(t, with(0)/math.Hypot(1, 12.5*coarse), with(12.5), 0.05*with(0))
}

func TestWithoutLandmarks(t *testing.T) {
	at := func(p pose, i int) liveproof.View { v := p.view(i); v.Face.Landmarks = nil; return v }
	require.GreaterOrEqual(t, examined(t, New(DefaultConfig(), unregistered), 15, func(i int) liveproof.View { return at(talking(i), i) }).given, 0)
	still := func(i int) liveproof.View { return at(pose{dx: 8 * swing(i, 0.5)}, i) }
	require.Equal(t, -1, examined(t, New(DefaultConfig(), unregistered), 25, still).given)
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for key, spoil := range map[string]func(*Config){
		"min_residual": func(c *Config) { c.MinResidual = math.NaN() },
		"needed":       func(c *Config) { c.Needed = maxStep },
		"span":         func(c *Config) { c.Span = 0 },
		"rigid_shift":  func(c *Config) { c.RigidShift = 0 },
	} {
		c := DefaultConfig()
		spoil(&c)
		require.ErrorContains(t, c.Validate(), key+": ")
	}
}

func BenchmarkExamine(b *testing.B) {
	var views []liveproof.View
	for i := range 10 {
		views = append(views, talking(i).view(i))
	}
	e := New(DefaultConfig(), unregistered)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v := views[i%len(views)]
		v.Seq, v.T = int64(i+1), time.Duration(i)*200*time.Millisecond
		if _, err := e.Examine(b.Context(), v); err != nil {
			b.Fatal(err)
		}
	}
}
