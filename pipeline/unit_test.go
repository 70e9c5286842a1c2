package pipeline

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/verdict"
)

func TestConfigValidate(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	require.NoError(t, DefaultConfig().Files().Validate())
	tests := map[string]func(*Config){
		"sample_rate":    func(c *Config) { c.SampleRate = 0 },
		"relaxed_rate":   func(c *Config) { c.RelaxedRate = 0 },
		"queue_size":     func(c *Config) { c.QueueSize = 0 },
		"in_flight":      func(c *Config) { c.InFlight = 65 },
		"score_timeout":  func(c *Config) { c.ScoreTimeout = 0 },
		"frozen_window":  func(c *Config) { c.FrozenWindow = 1 },
		"clock_slack":    func(c *Config) { c.ClockSlack = 0 },
		"hint_delay":     func(c *Config) { c.HintDelay = -1 },
		"flush_interval": func(c *Config) { c.FlushInterval = 0 },
		"record_timeout": func(c *Config) { c.RecordTimeout = 0 },
		"backlog":        func(c *Config) { c.Backlog = 0 },
	}
	for key, spoil := range tests {
		c := DefaultConfig()
		spoil(&c)
		require.Regexp(t, "^"+key+": .* is out of range ", c.Validate().Error())
	}
	c := DefaultConfig()
	c.SampleRate, c.QueueSize = math.NaN(), 0
	require.EqualError(t, c.Validate(), "sample_rate: NaN is out of range (0, 60]\nqueue_size: 0 is out of range [1, 64]",
		"all faults at once")
}

func TestNewRefuses(t *testing.T) {
	m := &models{}
	good := func() (Config, Deps, liveproof.Session) {
		return DefaultConfig(), Deps{Source: play(1, 30), Detector: m, Cropper: m, Scorer: m, Identity: trusting{}, Policy: verdict.DefaultPolicy()},
			liveproof.Session{Mode: liveproof.ModeCall, Threshold: liveproof.Threshold{Value: 0.4}}
	}
	tests := map[string]func(*Config, *Deps, *liveproof.Session){
		"sample_rate":  func(c *Config, _ *Deps, _ *liveproof.Session) { c.SampleRate = 61 },
		"relaxed_rate": func(c *Config, _ *Deps, _ *liveproof.Session) { c.RelaxedRate = 0.9 },
		"max_gap":      func(c *Config, _ *Deps, _ *liveproof.Session) { c.SampleRate = 1 },
		"required":     func(_ *Config, d *Deps, _ *liveproof.Session) { d.Scorer = nil },
		"threshold":    func(_ *Config, _ *Deps, s *liveproof.Session) { s.Threshold.Value = 0 },
		"mode":         func(_ *Config, _ *Deps, s *liveproof.Session) { s.Mode = "" },
		"deadline":     func(_ *Config, _ *Deps, s *liveproof.Session) { s.Deadline = time.Second },
	}
	for want, spoil := range tests {
		c, d, s := good()
		_, err := New(c, d, s)
		require.NoError(t, err)
		spoil(&c, &d, &s)
		_, err = New(c, d, s)
		require.ErrorContains(t, err, want)
	}
}

// The grid gives one sample a cell at any frame rate and jitter.
func TestSamplerRate(t *testing.T) {
	for _, fps := range []float64{5, 7, 10, 15, 24, 25, 29.97, 30, 60} {
		for _, jitter := range []time.Duration{0, 15 * time.Millisecond} {
			r := rand.New(rand.NewPCG(uint64(fps), 1))
			s := newSampler(DefaultConfig())
			taken, last := 0, time.Duration(0)
			for i := range int(20 * fps) {
				at := time.Duration(float64(i)/fps*float64(time.Second)) + time.Duration(r.Int64N(int64(jitter)+1))
				p := s.classify(at, -1)
				if !p.take {
					continue
				}
				taken++
				require.Less(t, p.t-last, 410*time.Millisecond)
				last = p.t
			}
			require.InDelta(t, 100, taken, 2, "%v fps, jitter %v", fps, jitter)
		}
	}
}

func TestSamplerTimeOnlyGrows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newSampler(DefaultConfig())
	last := time.Duration(-1)
	for range 10000 {
		p := s.classify(time.Duration(r.Int64N(int64(10*time.Minute))-int64(time.Minute)), -1)
		if p.take {
			require.Greater(t, p.t, last)
			last = p.t
		}
		require.GreaterOrEqual(t, p.t, time.Duration(0))
		require.False(t, p.take && p.doubt != "")
	}
}

// FuzzSampler: whatever times and arrivals come, told time never falls, grows between samples, and never exceeds the
// server's by more than drift, nor since any accepted picture by more than the slack.
func FuzzSampler(f *testing.F) {
	f.Add(int64(0), int64(1), int64(math.MaxInt64), int64(-1), int64(100*time.Millisecond))
	f.Add(int64(0), int64(time.Hour), int64(time.Hour+1), int64(time.Hour+2), int64(time.Second))
	f.Add(int64(time.Second), int64(-time.Hour), int64(1-time.Hour), int64(2-time.Hour), int64(0))
	f.Add(int64(0), int64(200*time.Millisecond), int64(400*time.Millisecond), int64(600*time.Millisecond), int64(time.Millisecond))
	f.Fuzz(func(t *testing.T, a, b, c, d, wait int64) {
		s := newSampler(DefaultConfig())
		file := newSampler(DefaultConfig().Files())
		last, least, inFile, server := time.Duration(-1), time.Duration(math.MaxInt64), time.Duration(-1), time.Duration(0)
		for i, v := range []int64{a, b, c, d, a, b + 1, c + 1, d + 1, b + 2, c + 2, d + 2, d + c, d + 2*c, d + 3*c, d + 4*c} {
			server += time.Duration(uint64(wait) * uint64(1+i%3) % uint64(time.Minute))
			p := s.classify(time.Duration(v), server)
			require.GreaterOrEqual(t, p.t, max(0, last))
			require.False(t, p.take && p.t == last)
			require.False(t, p.take && p.doubt != "")
			require.LessOrEqual(t, float64(p.t), (1+drift)*float64(server)+1)
			if p.doubt == "" {
				least = min(least, p.t-server)
				require.LessOrEqual(t, p.t-server-least, s.pace.slack)
			}
			if p.take {
				last = p.t
			}
			if p := file.classify(time.Duration(v), -1); p.take {
				require.Greater(t, p.t, inFile)
				inFile = p.t
			}
		}
	})
}

func TestRecallForgets(t *testing.T) {
	r := newRecall(16)
	for i := range uint64(1000) {
		require.False(t, r.observe(i))
		r.markSampled()
		require.LessOrEqual(t, len(r.at), 16)
	}
	require.True(t, r.observe(990))
	require.False(t, r.observe(900))
	for range 100 { // a frozen picture stays known however long it lasts
		r.markSampled()
		require.True(t, r.observe(990))
	}
	require.LessOrEqual(t, len(r.at), 16)
}

func TestHinter(t *testing.T) {
	h := hinter{delay: 400 * time.Millisecond}
	seen := func(ms int, reasons ...liveproof.Reason) string {
		hint, ok := h.observe(liveproof.Sample{Scored: len(reasons) == 0, Reasons: reasons}, false, "", time.Duration(ms)*time.Millisecond)
		if !ok {
			return "-"
		}
		return string(hint)
	}
	require.Equal(t, "-", seen(0))
	require.Equal(t, "-", seen(200, liveproof.ReasonNoFace))
	require.Equal(t, "-", seen(400, liveproof.ReasonTooDark))
	require.Equal(t, "-", seen(600, liveproof.ReasonTooDark, liveproof.ReasonBlurred))
	require.Equal(t, "-", seen(700, liveproof.ReasonOverload), "not the person's to change")
	require.Equal(t, "too_dark", seen(800, liveproof.ReasonTooDark))
	require.Equal(t, "-", seen(1000, liveproof.ReasonTooDark))
	require.Equal(t, "-", seen(1200))
	require.Empty(t, seen(1600))
}

// TestLateResultsAreNotJudged: a result that was ready together with the end of
// the context or the deadline comes too late, whichever the select saw first.
func TestLateResultsAreNotJudged(t *testing.T) {
	late := func(begun time.Time) *judge {
		f, err := verdict.New(verdict.DefaultPolicy().For(liveproof.Session{Threshold: liveproof.Threshold{Value: 0.5}}), liveproof.ModeOnboarding)
		require.NoError(t, err)
		g := &judge{cfg: DefaultConfig(), deps: withDefaults(Deps{}), mode: liveproof.ModeOnboarding, limit: 15 * time.Second,
			folder: f, report: &Report{}, early: map[int64]*frame{}, line: &line{begun: begun}}
		g.line.pictures.Store(1)
		g.journal = newJournal(nil, "", g.cfg, g.deps.Metrics, g.deps.Log)
		return g
	}
	sample := &frame{sample: liveproof.Sample{Seq: 1, Scored: true, Rho: 1, Weight: 1, Track: 1}}

	g := late(time.Now().Add(-time.Minute))
	end, over := g.result(context.Background(), sample, true)
	require.True(t, over)
	require.Equal(t, liveproof.ReasonDeadline, end.verdict.Reasons[0])

	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&liveproof.EndError{Reason: liveproof.ReasonServerShutdown})
	for _, open := range []bool{true, false} {
		g = late(time.Now())
		end, over = g.result(ctx, sample, open)
		require.True(t, over)
		require.Equal(t, liveproof.ReasonServerShutdown, end.verdict.Reasons[0])
		require.Zero(t, end.verdict.Scored)
	}
}

// TestMetricNames: dashboards rely on them.
func TestMetricNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	r := fileRig(t, play(300, 30).edit(func(i int, p *picture) {
		if i%40 == 39 {
			p.t = 0
		}
	}))
	r.met = NewMetrics(reg)
	_, err := r.run(context.Background())
	require.NoError(t, err)
	families, err := reg.Gather()
	require.NoError(t, err)
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	require.Equal(t, []string{
		"liveproof_pipeline_drops_total", "liveproof_pipeline_latency_seconds", "liveproof_pipeline_pictures_total",
		"liveproof_pipeline_samples_total", "liveproof_pipeline_sessions_active", "liveproof_pipeline_spared_total",
		"liveproof_pipeline_stage_seconds",
		"liveproof_pipeline_timeline_lost_total", "liveproof_pipeline_unsettled_total", "liveproof_pipeline_writes_total", "liveproof_verdicts_total",
	}, names)
}

// BenchmarkOverhead is what the pipeline itself costs for a sampled frame: models
// that do nothing, no codec, every picture sampled.
func BenchmarkOverhead(b *testing.B) {
	cfg := DefaultConfig().Files()
	cfg.SampleRate, cfg.KeepSamples = 60, false
	src := &endless{n: b.N}
	m := &models{}
	s, err := New(cfg, Deps{Source: src, Detector: m, Cropper: m, Scorer: m, Identity: trusting{}, Policy: verdict.DefaultPolicy()},
		liveproof.Session{Mode: liveproof.ModeCall, Threshold: liveproof.Threshold{Value: 0.5}})
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	_, err = s.Run(context.Background())
	require.NoError(b, err)
	require.Equal(b, int64(b.N), s.Report().Counts.Scored)
}

// BenchmarkUnsampled is what a picture costs that is not sampled.
func BenchmarkUnsampled(b *testing.B) {
	s, q := newSampler(DefaultConfig()), newRecall(512)
	b.ReportAllocs()
	for i := range b.N {
		s.classify(time.Duration(i)*33*time.Millisecond, -1)
		q.observe(uint64(i))
	}
}
