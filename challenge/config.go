package challenge

import (
	"errors"
	"math"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// Config is how the challenge by light is asked and judged.
type Config struct {
	// Colours is how many colours a sequence has, [6, 24].
	Colours int `yaml:"colours"`
	// Period is the time from one colour to the next, [340ms, 2s]: at most three changes a second (WCAG 2.2, 2.3.1).
	Period time.Duration `yaml:"period"`
	// Warning is how long the person is told what will happen before the first colour, [500ms, 10s].
	Warning time.Duration `yaml:"warning"`
	// Settle is for how long one face must have been followed before it is asked, [0, 10s].
	Settle time.Duration `yaml:"settle"`
	// Latency is how much later than the network's round trip a colour may show in the face, [100ms, 2s]: the time that the display, the
	// camera, the encoder and this server's queues take.
	Latency time.Duration `yaml:"latency"`
	// MaxRoundTrip bounds the round trip that is allowed for, [0, 2s]; a session whose round trip is not known gets it.
	MaxRoundTrip time.Duration `yaml:"max_round_trip"`
	// FalseAccepts is the probability with which video that does not follow the sequence passes one challenge, [0.00001, 0.05].
	FalseAccepts float64 `yaml:"false_accepts"`
	// Attempts is how many challenges one face gets, [1, 5].
	Attempts int `yaml:"attempts"`
}

// DefaultConfig asks for nine colours in three seconds.
func DefaultConfig() Config {
	return Config{
		Colours:      9,
		Period:       340 * time.Millisecond,
		Warning:      800 * time.Millisecond,
		Settle:       400 * time.Millisecond,
		Latency:      600 * time.Millisecond,
		MaxRoundTrip: 400 * time.Millisecond,
		FalseAccepts: 0.0005,
		Attempts:     2,
	}
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.In("colours", c.Colours, 6, maxColours),
		check.In("period", c.Period, minPeriod, 2*time.Second),
		check.In("warning", c.Warning, 500*time.Millisecond, 10*time.Second),
		check.In("settle", c.Settle, 0, 10*time.Second),
		check.In("latency", c.Latency, 100*time.Millisecond, 2*time.Second),
		check.In("max_round_trip", c.MaxRoundTrip, 0, 2*time.Second),
		check.In("false_accepts", c.FalseAccepts, 1e-5, 0.05),
		check.In("attempts", c.Attempts, 1, 5),
	)
}

// decoys is how many sequences that nobody was shown must do worse.
func (c Config) decoys() int { return int(math.Ceil(1/c.FalseAccepts)) - 1 }

// duration of a sequence, from the first change to the return to grey.
func (c Config) duration() time.Duration { return time.Duration(c.Colours)*c.Period + ramp }
