package pipeline

import (
	"fmt"
	"time"
)

// Config is one session's pipeline. The fields without a yaml key are set by the caller.
type Config struct {
	// SampleRate is how many pictures a second of stream time are judged, (0, 60].
	SampleRate float64 `yaml:"sample_rate"`
	// QueueSize is how many frames may wait before each stage, [1, 64].
	QueueSize int `yaml:"queue_size"`
	// InFlight is how many crops of one session may be at the scorer at once, [1, 64].
	InFlight int `yaml:"in_flight"`
	// IdleTimeout ends a live session that delivers no picture, [1s, 10m].
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// ScoreTimeout bounds one live sample's wait for the scorer, [50ms, 1m].
	ScoreTimeout time.Duration `yaml:"score_timeout"`
	// FrozenWindow is among how many past pictures a repeated one is found, [16, 16384].
	FrozenWindow int `yaml:"frozen_window"`
	// ClockSlack is how far stream time may run ahead of the server's clock, [100ms, 10s].
	ClockSlack time.Duration `yaml:"clock_slack"`
	// HintDelay is how long a hint must hold before the person is told, [0, 5s].
	HintDelay time.Duration `yaml:"hint_delay"`
	// FlushInterval is how often samples are written to the timeline, [10ms, 10s].
	FlushInterval time.Duration `yaml:"flush_interval"`
	// RecordTimeout bounds one attempt to write, [100ms, 30s].
	RecordTimeout time.Duration `yaml:"record_timeout"`
	// DecideTimeout bounds all attempts to write the verdict, [record_timeout, 1m].
	DecideTimeout time.Duration `yaml:"decide_timeout"`
	// Backlog is how many samples wait in memory while the store is away, [16, 65536].
	Backlog int `yaml:"backlog"`

	// Live: newest wins, timers run. Otherwise lossless, judged by stream time alone.
	Live bool `yaml:"-"`
	// StopAtVerdict ends a file at its verdict; live one-shot sessions always end there.
	StopAtVerdict bool `yaml:"-"`
	// KeepSamples keeps the timeline for Report.
	KeepSamples bool `yaml:"-"`
}

// DefaultConfig is for live media.
func DefaultConfig() Config {
	return Config{
		SampleRate:    5,
		QueueSize:     2,
		InFlight:      3,
		IdleTimeout:   10 * time.Second,
		ScoreTimeout:  2 * time.Second,
		FrozenWindow:  512,
		ClockSlack:    time.Second,
		HintDelay:     400 * time.Millisecond,
		FlushInterval: 500 * time.Millisecond,
		RecordTimeout: 2 * time.Second,
		DecideTimeout: 8 * time.Second,
		Backlog:       4096,
		Live:          true,
	}
}

// Files returns the configuration for replaying a file: lossless, every frame
// scored, the samples kept.
func (c Config) Files() Config {
	c.Live, c.StopAtVerdict, c.KeepSamples = false, false, true
	return c
}

// Validate checks the ranges; the error begins with the key.
func (c Config) Validate() error {
	checks := []error{
		numberIn("sample_rate", c.SampleRate, c.SampleRate > 0 && c.SampleRate <= 60, "(0, 60]"),
		countIn("queue_size", c.QueueSize, 1, 64),
		countIn("in_flight", c.InFlight, 1, 64),
		durationIn("idle_timeout", c.IdleTimeout, time.Second, 10*time.Minute),
		durationIn("score_timeout", c.ScoreTimeout, 50*time.Millisecond, time.Minute),
		countIn("frozen_window", c.FrozenWindow, 16, 16384),
		durationIn("clock_slack", c.ClockSlack, 100*time.Millisecond, 10*time.Second),
		durationIn("hint_delay", c.HintDelay, 0, 5*time.Second),
		durationIn("flush_interval", c.FlushInterval, 10*time.Millisecond, 10*time.Second),
		durationIn("record_timeout", c.RecordTimeout, 100*time.Millisecond, 30*time.Second),
		durationIn("decide_timeout", c.DecideTimeout, c.RecordTimeout, time.Minute),
		countIn("backlog", c.Backlog, 16, 65536),
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// period is the time between two samples.
func (c Config) period() time.Duration { return time.Duration(float64(time.Second) / c.SampleRate) }

func durationIn(key string, v, lo, hi time.Duration) error {
	if v < lo || v > hi {
		return fmt.Errorf("%s: %v is out of range [%v, %v]", key, v, lo, hi)
	}
	return nil
}

func countIn(key string, v, lo, hi int) error {
	if v < lo || v > hi {
		return fmt.Errorf("%s: %d is out of range [%d, %d]", key, v, lo, hi)
	}
	return nil
}

func numberIn(key string, v float64, ok bool, allowed string) error {
	if !ok {
		return fmt.Errorf("%s: %v is out of range %s", key, v, allowed)
	}
	return nil
}
