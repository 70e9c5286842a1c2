package injection

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// chromium is the part of Chromium's offer that tells it from other libraries' offers.
const chromium = "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\na=extmap-allow-mixed\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" +
	"a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=extmap:3 urn:3gpp:video-orientation\r\n" +
	"a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\n"

func TestOffers(t *testing.T) {
	for name, test := range map[string]struct {
		offer string
		want  bool
	}{
		"Chromium":          {chromium, true},
		"Firefox":           {"v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 1 0 IN IP4 0.0.0.0\r\n", true},
		"without a feature": {chromium[:len(chromium)-len("a=rtcp-fb:96 transport-cc\r\n")], false},
		"another library":   {"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\n", false},
		"nothing":           {"", false},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, claimsBrowser(test.offer)) })
	}
}

// FuzzOffer: any text can be read.
func FuzzOffer(f *testing.F) {
	f.Add(chromium)
	f.Add("o=mozilla...THIS_IS_SDPARTA")
	f.Fuzz(func(_ *testing.T, offer string) { claimsBrowser(offer) })
}

// source gives units with the steps of a clock.
type source struct {
	senderOf
	at   func(i int) int // ticks
	unit liveproof.AccessUnit
	n, i int
}

func (s *source) Next(context.Context) (liveproof.AccessUnit, error) {
	if s.i == s.n {
		return liveproof.AccessUnit{}, io.EOF
	}
	u := s.unit
	u.PTS = time.Duration(s.at(s.i)) * time.Second / ticksPerSecond
	u.ArrivedAt = time.Unix(0, 0).Add(u.PTS)
	s.i++
	return u, nil
}

func (s *source) RequestKeyFrame() {}

// examined is what a watch finds after all units of a source.
func examined(t *testing.T, w *Watch, s *source) liveproof.Finding {
	units := w.Units(s)
	for {
		if _, err := units.Next(t.Context()); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	found, err := w.Examine(t.Context(), liveproof.View{Image: liveproof.NewImage(64, 48)})
	require.NoError(t, err)
	return found
}

// TestForeignEncoders: what a program's stream shows is a risk by itself only where the offer says that a browser sends it.
func TestForeignEncoders(t *testing.T) {
	grid, millis := func(i int) int { return 3000 * i }, func(i int) int { return i * 100 / 3 * millisecond }
	x264 := liveproof.AccessUnit{Codec: liveproof.CodecH264, Data: userData(x264UUID, "x264")}
	plain := liveproof.AccessUnit{Codec: liveproof.CodecVP8, Data: []byte{1}}
	for name, test := range map[string]struct {
		offer string
		at    func(int) int
		unit  liveproof.AccessUnit
		want  float64
	}{
		"a browser":                       {chromium, millis, plain, 0},
		"a file behind a browser's offer": {chromium, grid, plain, 1},
		"x264 behind a browser's offer":   {chromium, millis, x264, 1},
		"a program that says so":          {"", grid, x264, encoderCeiling},
		"a program with another clock":    {"", millis, plain, 0},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			metrics := NewMetrics(reg)
			w := New(DefaultConfig(), "", nil, metrics)
			found := examined(t, w, &source{senderOf: senderOf{Offer: test.offer}, at: test.at, unit: test.unit, n: 60})
			require.InDelta(t, test.want, found.Signals["injection.risk.encoder"], 1e-9)
			require.Equal(t, test.want == 1, len(found.Reasons) > 0)
			require.InDelta(t, indicator(test.want == 1), testutil.ToFloat64(metrics.suspected.WithLabelValues("encoder")), 0)
		})
	}
}

// TestRepeatsWithhold: a virtual camera's conversion of the frame rate withholds live, and not where that is off.
func TestRepeatsWithhold(t *testing.T) {
	for _, test := range []struct {
		withhold string
		rate     float64
		want     []liveproof.Reason
	}{
		{WithholdAuto, 24, []liveproof.Reason{liveproof.ReasonInjectionSuspected}},
		{WithholdOff, 24, nil},
		{WithholdAuto, 30, nil},
	} {
		cfg := DefaultConfig()
		cfg.Withhold, cfg.Threshold = test.withhold, 0.7
		w := New(cfg, "", nil, nil)
		noise := rand.New(rand.NewPCG(1, 1))
		shown := converted(test.rate)
		last, cells := -1.0, (*liveproof.Thumbnail)(nil)
		for i := range 90 {
			if at := shown(i); at != last {
				last, cells = at, scene(at, noise)
			}
			w.Picture(time.Duration(i)*time.Second/30, cells)
		}
		found, err := w.Examine(t.Context(), liveproof.View{Image: liveproof.NewImage(64, 48)})
		require.NoError(t, err)
		require.Equal(t, test.want, found.Reasons)
		i, measured := liveproof.InjectionOf(found.Signals)
		require.True(t, measured)
		require.Equal(t, test.rate == 24, i.Risk >= 0.7 && i.Signal == "repeats", "%+v", i)
	}
}

func TestAnotherStreamBeginsAnew(t *testing.T) {
	w := New(DefaultConfig(), "", nil, nil)
	grid := func(i int) int { return 3000 * i }
	require.Contains(t, examined(t, w, &source{at: grid, n: 60}).Signals, "injection.grid")
	require.NotContains(t, examined(t, w, &source{at: grid, unit: liveproof.AccessUnit{Stream: 1}, n: 5}).Signals, "injection.grid")
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for want, change := range map[string]func(*Config){
		"withhold: \"maybe\" is not one of auto, off":   func(c *Config) { c.Withhold = "maybe" },
		"probe: \"always\" is not one of auto, off":     func(c *Config) { c.Probe = "always" },
		"threshold: 0 is out of range (0, 1]":           func(c *Config) { c.Threshold = 0 },
		"attestation.url: \"x\" is not an address":      func(c *Config) { c.Attestation.URL = "x" },
		"attestation.timeout: 0s is out of range":       func(c *Config) { c.Attestation.Timeout = 0 },
		"attestation.require: nobody could become live": func(c *Config) { c.Attestation.Require = true },
		"attestation.require: it has no effect": func(c *Config) {
			c.Attestation.Require, c.Attestation.URL, c.Withhold = true, "https://a.example", WithholdOff
		},
	} {
		c := DefaultConfig()
		change(&c)
		require.ErrorContains(t, c.Validate(), want)
	}
}
