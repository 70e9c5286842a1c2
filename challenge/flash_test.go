package challenge

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// stage shows an examiner a plain face before a plain background, five times a second, lit by what it asked.
type stage struct {
	t     *testing.T
	flash *Asker
	share float64 // the white screen's light on the face, as a share of the room's
	lag   time.Duration
	track int
	again int // restarts
	why   []liveproof.Reason

	now    time.Duration
	asked  *liveproof.Challenge
	begins time.Duration
	asks   int
}

func onStage(t *testing.T, opts Options, change func(*Config)) *stage {
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	f, err := NewFlash(cfg, Seed{1}, opts)
	require.NoError(t, err)
	return &stage{t: t, flash: f, track: 1, lag: 250 * time.Millisecond}
}

// until shows views until one brings a finding that holds, or the time is over.
func (s *stage) until(end time.Duration, holds func(liveproof.Finding) bool) (found liveproof.Finding, ok bool) {
	s.t.Helper()
	for ; s.now < end; s.now += 200 * time.Millisecond {
		v := liveproof.View{T: s.now, Image: s.picture(), Face: testFace, Track: s.track, Restarts: s.again, Reasons: s.why}
		f, err := s.flash.Examine(context.Background(), v)
		require.NoError(s.t, err)
		if f.Ask != nil {
			s.asked, s.begins = f.Ask, s.now+f.Ask.Begin
			s.asks++
		}
		if holds(f) {
			s.now += 200 * time.Millisecond
			return f, true
		}
	}
	return liveproof.Finding{}, false
}

var testFace = liveproof.Face{
	Box:       liveproof.Box{X1: 110, Y1: 50, X2: 210, Y2: 190},
	Landmarks: &liveproof.Landmarks{{X: 140, Y: 105}, {X: 180, Y: 105}, {X: 160, Y: 130}, {X: 145, Y: 155}, {X: 175, Y: 155}},
}

func (s *stage) picture() *liveproof.Image {
	light := [3]float64{}
	if s.asked != nil {
		light = shown(s.asked.Colours, s.now-s.begins-s.lag)
	}
	var wall, face [3]int // sRGB
	for k, base := range [3]float64{0.35, 0.22, 0.16} {
		wall[k], face[k] = int(encode(base)), int(encode(base*(1+s.share*light[k])))
	}
	img := liveproof.NewImage(320, 240)
	for y := range img.Height {
		for x := range img.Width {
			of := &wall
			if x >= 100 && x < 220 && y >= 30 && y < 210 {
				of = &face
			}
			for k, v := range of {
				noise := (x*7+y*13+k*5+int(s.now/time.Millisecond)*3)%5 - 2
				img.Pix[y*img.Stride+3*x+k] = uint8(min(255, max(0, v+noise)))
			}
		}
	}
	return img
}

func given(f liveproof.Finding) bool   { return len(f.Given) > 0 }
func asks(f liveproof.Finding) bool    { return f.Ask != nil }
func refuses(f liveproof.Finding) bool { return len(f.Reasons) > 0 }

func TestFaceThatIsLitPassesInTime(t *testing.T) {
	s := onStage(t, Options{}, nil)
	s.share = 0.3
	found, ok := s.until(6*time.Second, given)
	require.True(t, ok)
	require.Equal(t, []liveproof.Evidence{liveproof.EvidenceFlash}, found.Given)
	require.Positive(t, found.Signals["flash.likelihood"])
	require.LessOrEqual(t, s.now, 5400*time.Millisecond)
	require.Equal(t, 1, s.asks)
	_, more := s.until(8*time.Second, func(f liveproof.Finding) bool { return asks(f) || refuses(f) })
	require.False(t, more, "nothing follows")
}

func TestFaceThatIsNotLitGetsOneMoreTry(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := onStage(t, Options{Metrics: NewMetrics(registry)}, nil)
	found, ok := s.until(15*time.Second, refuses)
	require.True(t, ok)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonChallengeFailed}, found.Reasons)
	require.Equal(t, 2, s.asks)
	require.Equal(t, 2, s.asked.Attempt)
	require.Equal(t, 2*DefaultConfig().Warning, s.asked.Begin, "there is more to read")
	for outcome, n := range map[string]float64{"asked": 2, "challenge_failed": 2, "passed": 0} {
		require.InDelta(t, n, testutil.ToFloat64(s.flash.opts.Metrics.challenges.WithLabelValues("flash", outcome)), 0, outcome)
	}
}

func TestSecondTryCanPass(t *testing.T) {
	s := onStage(t, Options{}, nil)
	_, ok := s.until(7*time.Second, func(f liveproof.Finding) bool { return f.Ask != nil && f.Ask.Attempt == 2 })
	require.True(t, ok)
	s.share = 0.3
	_, ok = s.until(12*time.Second, given)
	require.True(t, ok)
}

func TestTwoChallengesDiffer(t *testing.T) {
	s := onStage(t, Options{}, nil)
	s.until(15*time.Second, asks)
	first := *s.asked
	s.until(15*time.Second, asks)
	require.NotEqual(t, first.ID, s.asked.ID)
	require.NotEqual(t, first.Colours, s.asked.Colours)
	require.Regexp(t, `^[0-9a-f]{32}$`, first.ID)
}

func TestNoTryBeginsThatCannotEnd(t *testing.T) {
	s := onStage(t, Options{Deadline: 8 * time.Second}, nil)
	_, ok := s.until(7*time.Second, refuses)
	require.True(t, ok)
	require.Equal(t, 1, s.asks)
}

func TestLateAnswerFails(t *testing.T) {
	s := onStage(t, Options{RoundTrip: func() (time.Duration, bool) { return 50 * time.Millisecond, true }}, nil)
	s.share, s.lag = 0.3, 1500*time.Millisecond
	_, ok := s.until(15*time.Second, given)
	require.False(t, ok)
}

func TestFarClientPasses(t *testing.T) {
	s := onStage(t, Options{RoundTrip: func() (time.Duration, bool) { return 350 * time.Millisecond, true }}, nil)
	s.share, s.lag = 0.3, 800*time.Millisecond
	_, ok := s.until(7*time.Second, given)
	require.True(t, ok)
}

// TestRoundTripIsBounded: the client can make it longer.
func TestRoundTripIsBounded(t *testing.T) {
	cfg := DefaultConfig()
	for _, c := range []struct {
		measured, want time.Duration
		known          bool
	}{
		{0, cfg.MaxRoundTrip, false},
		{80 * time.Millisecond, 80 * time.Millisecond, true},
		{time.Hour, cfg.MaxRoundTrip, true},
		{-time.Second, 0, true},
	} {
		f, err := NewFlash(cfg, Seed{}, Options{RoundTrip: func() (time.Duration, bool) { return c.measured, c.known }})
		require.NoError(t, err)
		require.Equal(t, c.want, f.allowance(), c.measured)
	}
}

func TestAnotherFaceBeginsAnew(t *testing.T) {
	for name, change := range map[string]func(*stage){
		"another track":            func(s *stage) { s.track++ },
		"the evidence starts anew": func(s *stage) { s.again++ },
	} {
		t.Run(name, func(t *testing.T) {
			s := onStage(t, Options{}, nil)
			s.share = 0.3
			_, ok := s.until(3*time.Second, func(liveproof.Finding) bool { return s.now > 2500*time.Millisecond })
			require.True(t, ok)
			change(s)
			_, early := s.until(5500*time.Millisecond, given)
			require.False(t, early, "the answer of the one before does not count")
			_, ok = s.until(9*time.Second, given)
			require.True(t, ok)
			require.Equal(t, 2, s.asks)
			change(s)
			_, ok = s.until(11*time.Second, asks)
			require.True(t, ok, "who comes after the pass is asked too")
		})
	}
}

// TestChallengesOfASessionAreBounded: who changes faces without end gets no tries without end.
func TestChallengesOfASessionAreBounded(t *testing.T) {
	s := onStage(t, Options{}, nil)
	for range 40 {
		s.track++
		s.until(s.now+1500*time.Millisecond, asks)
	}
	require.Equal(t, mostAsked, s.asks)
	_, ok := s.until(s.now+time.Second, refuses)
	require.True(t, ok)
}

func TestFaceThatIsBadlySeenIsNotAsked(t *testing.T) {
	s := onStage(t, Options{}, nil)
	s.why = []liveproof.Reason{liveproof.ReasonTooDark}
	_, ok := s.until(3*time.Second, asks)
	require.False(t, ok)
	s.why = []liveproof.Reason{liveproof.ReasonLowBitrate}
	_, ok = s.until(4*time.Second, asks)
	require.True(t, ok, "coarse pictures become finer")
}

func TestFaceThatGoesAwayHasNotAnswered(t *testing.T) {
	s := onStage(t, Options{}, func(c *Config) { c.Attempts = 1 })
	_, ok := s.until(2*time.Second, asks)
	require.True(t, ok)
	s.now += 6 * time.Second
	found, ok := s.until(10*time.Second, refuses)
	require.True(t, ok)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonChallengeUnanswered}, found.Reasons)
}

func TestConfigIsChecked(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	bad := Config{Period: 100 * time.Millisecond, FalseAccepts: math.NaN()}
	err := bad.Validate()
	for _, key := range []string{"colours", "period", "warning", "latency", "false_accepts", "attempts"} {
		require.ErrorContains(t, err, key)
	}
	_, err = NewFlash(bad, Seed{}, Options{})
	require.Error(t, err)
}

// FuzzViews: no picture, face or time makes the examiner fail, and without light nothing is given.
func FuzzViews(f *testing.F) {
	f.Add(uint16(320), uint16(240), float32(100), float32(60), float32(200), float32(180), float32(130), int64(200), 1, []byte{1, 2, 3})
	f.Add(uint16(0), uint16(1), float32(math.Inf(1)), float32(math.NaN()), float32(0), float32(-1), float32(1e30), int64(-1), 0, []byte{})
	f.Add(uint16(40), uint16(40), float32(-50), float32(-50), float32(500), float32(500), float32(-20), int64(1), 3, []byte{255})
	f.Fuzz(func(t *testing.T, width, height uint16, x1, y1, x2, y2, eye float32, step int64, track int, fill []byte) {
		flash, err := NewFlash(DefaultConfig(), Seed{}, Options{})
		require.NoError(t, err)
		img := liveproof.NewImage(int(width%400), int(height%400))
		for i := range img.Pix {
			if len(fill) > 0 {
				img.Pix[i] = fill[i%len(fill)]
			}
		}
		face := liveproof.Face{Box: liveproof.Box{X1: x1, Y1: y1, X2: x2, Y2: y2}}
		if track%2 == 1 {
			face.Landmarks = &liveproof.Landmarks{{X: eye, Y: y1}, {X: x2, Y: eye}, {X: eye, Y: eye}, {X: x1, Y: y2}, {X: eye, Y: y2}}
		}
		at := time.Duration(0)
		for range 60 {
			found, err := flash.Examine(context.Background(), liveproof.View{T: at, Image: img, Face: face, Track: track})
			require.NoError(t, err)
			require.Empty(t, found.Given)
			at += time.Duration(step % int64(time.Second))
		}
	})
}

func TestViewWithoutPictureIsNothing(t *testing.T) {
	require.False(t, measure(nil, testFace).any())
	broken := liveproof.NewImage(320, 240)
	broken.Pix = broken.Pix[:10]
	require.False(t, measure(broken, testFace).any())
}

func BenchmarkSample(b *testing.B) {
	s := &stage{}
	img := s.picture()
	big := liveproof.NewImage(1280, 960)
	face := liveproof.Face{Box: liveproof.Box{X1: 300, Y1: 100, X2: 900, Y2: 900}}
	for name, c := range map[string]struct {
		img  *liveproof.Image
		face liveproof.Face
	}{"320": {img, testFace}, "1280": {big, face}} {
		b.Run(name, func(b *testing.B) {
			for i := range c.img.Pix {
				c.img.Pix[i] = uint8(40 + i%150)
			}
			for b.Loop() {
				measure(c.img, c.face)
			}
		})
	}
}
