package injection

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// camera is a sender with a clock of its own, which is asked to be slower.
type camera struct {
	rate    float64
	adjusts bool          // what it says
	obeys   bool          // what it does
	late    time.Duration // until it does
	loses   bool          // every eighth picture after the probe
	length  time.Duration // of the session

	probes []liveproof.Probe
	asked  time.Time
	begin  time.Time
	last   time.Time
	n      int
}

func (c *camera) Sender() liveproof.Sender {
	return liveproof.Sender{Adjusts: c.adjusts && len(c.probes) > 0}
}

func (c *camera) Probe(p liveproof.Probe) { c.probes, c.asked = append(c.probes, p), time.Now() }

func (c *camera) RequestKeyFrame() {}

func (c *camera) Next(context.Context) (liveproof.AccessUnit, error) {
	if c.begin.IsZero() {
		c.begin = time.Now()
	}
	time.Sleep(c.step())
	if time.Since(c.begin) > c.length {
		return liveproof.AccessUnit{}, io.EOF
	}
	c.n++
	gap := c.loses && len(c.probes) > 0 && c.n%4 == 0
	return liveproof.AccessUnit{Codec: liveproof.CodecVP8, PTS: time.Since(c.begin), ArrivedAt: time.Now(), Gap: gap}, nil
}

// step drops pictures of the usual clock while a slower rate is asked for, as browsers do.
func (c *camera) step() time.Duration {
	usual := time.Duration(float64(time.Second) / c.rate)
	if !c.obeys || len(c.probes) == 0 {
		return usual
	}
	since := time.Since(c.asked)
	if since < c.late || since > c.late+c.probes[0].Duration {
		return usual
	}
	c.last = c.last.Add(time.Second / time.Duration(c.probes[0].FrameRate))
	if c.last.Before(time.Now()) {
		c.last = time.Now()
	}
	step := usual
	for time.Now().Add(step).Before(c.last) {
		step += usual
	}
	return step
}

// TestProbe repeats each session, because the probe is drawn at random.
func TestProbe(t *testing.T) {
	for name, test := range map[string]struct {
		camera camera
		result string
		risk   float64 // -1: none
	}{
		"a browser at 15 pictures a second": {camera{rate: 15, adjusts: true, obeys: true}, probeFollowed, 0},
		"a browser at 30":                   {camera{rate: 30, adjusts: true, obeys: true}, probeFollowed, 0},
		"a browser in the dark, at 10":      {camera{rate: 10, adjusts: true, obeys: true}, probeFollowed, 0},
		"a browser on a slow network":       {camera{rate: 15, adjusts: true, obeys: true, late: 900 * time.Millisecond}, probeFollowed, 0},
		"a recording that says it follows":  {camera{rate: 30, adjusts: true}, probeIgnored, probeCeiling},
		"the same at 15":                    {camera{rate: 15, adjusts: true}, probeIgnored, probeCeiling},
		"a client that knows no probes":     {camera{rate: 30}, probeUnanswered, -1},
		"lost pictures":                     {camera{rate: 30, adjusts: true, loses: true}, probeUnclear, -1},
	} {
		t.Run(name, func(t *testing.T) {
			for range 30 {
				synctest.Test(t, func(t *testing.T) {
					c := test.camera
					c.length = 5 * time.Second
					metrics := NewMetrics(prometheus.NewRegistry())
					signals := signalsOf(t, &c, metrics)
					require.Len(t, c.probes, 1)
					require.Equal(t, test.result, resultOf(metrics))
					risk, judged := signals["injection.risk.probe"]
					require.Equal(t, test.risk >= 0, judged)
					if judged {
						require.InDelta(t, test.risk, risk, 1e-9)
						require.InDelta(t, c.probes[0].FrameRate, signals["injection.probe_rate"], 0)
						require.Equal(t, test.result == probeFollowed, signals["injection.probe"] >= 0)
						require.InDelta(t, c.late.Seconds(), max(0, signals["injection.probe"]), 0.3)
					}
				})
			}
		})
	}
}

// signalsOf are the last signals of a session.
func signalsOf(t *testing.T, from liveproof.UnitSource, metrics *Metrics) map[string]float64 {
	cfg := DefaultConfig()
	cfg.Probe = ProbeAuto
	w := New(cfg, "", nil, metrics)
	units := w.Units(from)
	for {
		if _, err := units.Next(t.Context()); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	found, err := w.Examine(t.Context(), liveproof.View{Image: liveproof.NewImage(64, 48)})
	require.NoError(t, err)
	require.Empty(t, found.Reasons, "it only records")
	return found.Signals
}

func resultOf(m *Metrics) string {
	for _, result := range []string{probeFollowed, probeIgnored, probeUnanswered, probeUnclear} {
		if testutil.ToFloat64(m.probes.WithLabelValues(result)) > 0 {
			return result
		}
	}
	return ""
}

func TestProbeLeavesThePicturesThatAreNeeded(t *testing.T) {
	for rate := 9; rate <= 60; rate++ {
		for range 50 {
			var p prober
			now := time.Unix(0, 0)
			_, ok := p.ready(0, now)
			require.False(t, ok, "the rate is not known")
			_, _ = p.ready(float64(rate), now)
			asked, ok := p.ready(float64(rate), now.Add(probeSpread))
			if !ok { // the random delay was 0, and the call before asked
				asked = p.asked
			}
			require.GreaterOrEqual(t, asked.FrameRate, lowestAsked)
			require.LessOrEqual(t, float64(asked.FrameRate), leastCut*float64(rate))
			require.LessOrEqual(t, asked.Duration, 1500*time.Millisecond)
			_, again := p.ready(float64(rate), now.Add(time.Hour))
			require.False(t, again, "once")
		}
	}
}

// TestNobodyIsAsked where it is switched off, or the stream has no pictures to spare.
func TestNobodyIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		probe string
		rate  float64
	}{"off": {ProbeOff, 30}, "slow": {ProbeAuto, 8}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &camera{rate: test.rate, adjusts: true, length: 3 * time.Second}
				cfg := DefaultConfig()
				cfg.Probe = test.probe
				units := New(cfg, "", nil, nil).Units(c)
				for err := error(nil); err == nil; {
					_, err = units.Next(t.Context())
				}
				require.Empty(t, c.probes)
			})
		})
	}
}

// TestProbeOfAStreamThatEnds is not repeated in the next one, and does not judge it.
func TestProbeOfAStreamThatEnds(t *testing.T) {
	p := prober{at: time.Unix(0, 0), asked: liveproof.Probe{FrameRate: 8, Duration: time.Second}}
	p.interrupt()
	require.Empty(t, p.observe(step{time.Second, time.Unix(9, 0)}, false, true, time.Unix(10, 0)))
	_, ok := p.ready(30, time.Unix(10, 0))
	require.False(t, ok)
}
