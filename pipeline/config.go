package pipeline

import (
	"errors"
	"time"

	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/verdict"
)

// Config is one session's pipeline. The fields without a yaml key are set by the caller.
type Config struct {
	// SampleRate is how many pictures a second of stream time are judged, (0, 60].
	SampleRate float64 `yaml:"sample_rate"`
	// RelaxedRate is the lowest sampling rate of a call, in pictures a second, (0, 60]. The rate falls to it step by
	// step while the call stands at live without a doubt; any doubt restores sample_rate. A value of sample_rate or
	// more keeps the rate fixed.
	RelaxedRate float64 `yaml:"relaxed_rate"`
	// QueueSize is how many frames may wait before each stage, [1, 64].
	QueueSize int `yaml:"queue_size"`
	// InFlight is how many crops of one session may be at the scorer at once, [1, 64]. While that many are
	// there, a live session gives further samples up before any work is spent on them.
	InFlight int `yaml:"in_flight"`
	// ScoreTimeout bounds one live sample's wait for the scorer, [50ms, 1m].
	ScoreTimeout time.Duration `yaml:"score_timeout"`
	// FrozenWindow is among how many past pictures a repeated one is found, [16, 16384].
	FrozenWindow int `yaml:"frozen_window"`
	// ClockSlack is by how much the stream time between any two pictures may exceed the time on the server's clock,
	// [100ms, 10s]: evidence of N seconds takes at least N seconds less ClockSlack. Stream time beyond that is left out.
	ClockSlack time.Duration `yaml:"clock_slack"`
	// HintDelay is how long a hint must hold before the person is told, [0, 5s].
	HintDelay time.Duration `yaml:"hint_delay"`
	// FlushInterval is how often samples are written to the timeline, [10ms, 10s].
	FlushInterval time.Duration `yaml:"flush_interval"`
	// RecordTimeout bounds one attempt to write, [100ms, 1500ms]: a session's end waits for an attempt that is
	// running.
	RecordTimeout time.Duration `yaml:"record_timeout"`
	// Backlog is how many samples wait in memory while the store is away, [16, 65536].
	Backlog int `yaml:"backlog"`

	// Live: newest wins, timers run. Otherwise lossless, judged by stream time alone.
	Live bool `yaml:"-"`
	// IdleTimeout ends a live session whose source has received nothing for this long, neither pictures nor access
	// units that cannot be shown; 0 switches the timeout off.
	IdleTimeout time.Duration `yaml:"-"`
	// StopAtVerdict ends a file at its verdict; live one-shot sessions always end there.
	StopAtVerdict bool `yaml:"-"`
	// KeepSamples keeps the timeline for Report.
	KeepSamples bool `yaml:"-"`
	// Recorded says that the stream is known to be a recording: pictures that repeat, loop or stand still are scored like
	// others, and no evidence beside ρ is gathered or required. It is for measuring, never for judging a person who is there.
	Recorded bool `yaml:"-"`
}

// DefaultConfig is for live media.
func DefaultConfig() Config {
	return Config{
		SampleRate:    5,
		RelaxedRate:   1,
		QueueSize:     2,
		InFlight:      2,
		ScoreTimeout:  2 * time.Second,
		FrozenWindow:  512,
		ClockSlack:    time.Second,
		HintDelay:     400 * time.Millisecond,
		FlushInterval: 500 * time.Millisecond,
		RecordTimeout: time.Second,
		Backlog:       4096,
		Live:          true,
		IdleTimeout:   10 * time.Second,
	}
}

// Files returns the configuration for replaying a file: lossless, every sampled
// frame scored, the samples kept. The sampling rate is fixed: a relaxed rate depends on
// what was judged so far, and how far the judge is behind the reader differs from run to run.
func (c Config) Files() Config {
	c.Live, c.StopAtVerdict, c.KeepSamples = false, false, true
	c.RelaxedRate = c.SampleRate
	return c
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.Above("sample_rate", c.SampleRate, 0, 60),
		check.Above("relaxed_rate", c.RelaxedRate, 0, 60),
		check.In("queue_size", c.QueueSize, 1, 64),
		check.In("in_flight", c.InFlight, 1, 64),
		check.In("score_timeout", c.ScoreTimeout, 50*time.Millisecond, time.Minute),
		check.In("frozen_window", c.FrozenWindow, 16, 16384),
		check.In("clock_slack", c.ClockSlack, 100*time.Millisecond, 10*time.Second),
		check.In("hint_delay", c.HintDelay, 0, 5*time.Second),
		check.In("flush_interval", c.FlushInterval, 10*time.Millisecond, 10*time.Second),
		check.In("record_timeout", c.RecordTimeout, 100*time.Millisecond, 1500*time.Millisecond),
		check.In("backlog", c.Backlog, 16, 65536),
	)
}

// ValidateWith reports the rates, of a valid configuration, at which no session can be judged by the policy; each error
// begins with its key.
func (c Config) ValidateWith(policy verdict.Policy) error {
	period, longest := c.period(), c.longest()
	return errors.Join(
		check.That("sample_rate", period <= policy.MaxGap, "a sample every %v cannot keep within the verdict's max_gap %v", period, policy.MaxGap),
		check.That("relaxed_rate", longest <= period || longest <= policy.RestartGap/2,
			"a sample every %v is too rare for the verdict's restart_gap %v: it may be at most half of it, so that one lost sample does not "+
				"restart the evidence",
			longest, policy.RestartGap),
	)
}

// period is the time between two samples at the full rate.
func (c Config) period() time.Duration { return time.Duration(float64(time.Second) / c.SampleRate) }

// longest is the longest time between two samples of a call that stands at live.
func (c Config) longest() time.Duration {
	return max(c.period(), time.Duration(float64(time.Second)/c.RelaxedRate))
}
