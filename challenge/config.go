package challenge

import (
	"errors"
	"math"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// Config is how the challenges are asked and judged: that by light, and in section Turn what differs in that by movement.
type Config struct {
	// Colours is how many colours a sequence has, [6, 24].
	Colours int `yaml:"colours"`
	// Period is the time from one colour to the next, [340ms, 2s]: at most three changes a second (WCAG 2.2, 2.3.1).
	Period time.Duration `yaml:"period"`
	// Warning is how long the person is told what will happen before the first colour, [500ms, 10s].
	Warning time.Duration `yaml:"warning"`
	// Settle is for how long one face must have been followed before it is asked, [0, 10s].
	Settle time.Duration `yaml:"settle"`
	// Latency is how much later than the network's round trip a colour may show in the face, or a movement may come, [100ms, 2s]: the time that the display, the
	// camera, the encoder and this server's queues take.
	Latency time.Duration `yaml:"latency"`
	// MaxRoundTrip bounds the round trip that is allowed for, [0, 2s]; a session whose round trip is not known gets it.
	MaxRoundTrip time.Duration `yaml:"max_round_trip"`
	// FalseAccepts is the probability with which video that does not follow the sequence passes one challenge, [0.00001, 0.05].
	FalseAccepts float64 `yaml:"false_accepts"`
	// Attempts is how many challenges one face gets, [1, 5].
	Attempts int `yaml:"attempts"`
	// Turn is the challenge by movement.
	Turn TurnConfig `yaml:"turn"`
}

// TurnConfig is how the challenge by movement is asked and judged.
type TurnConfig struct {
	// Steps is how many movements are asked for, [2, 6]. Who cannot know them guesses one of 4·3^(steps-1) orders.
	Steps int `yaml:"steps"`
	// Period is the time for each movement, [1s, 10s].
	Period time.Duration `yaml:"period"`
	// Warning is how long the person is told what will happen before the first movement, [500ms, 10s].
	Warning time.Duration `yaml:"warning"`
	// Yaw is how far the head must turn to the side, in degrees, [8, 40].
	Yaw float64 `yaml:"yaw"`
	// Pitch is how far the head must be lowered for a nod, in degrees, [8, 40].
	Pitch float64 `yaml:"pitch"`
	// Closer is how many times as large as before the face must become, [1.08, 2].
	Closer float64 `yaml:"closer"`
}

// duration of the steps.
func (c TurnConfig) duration() time.Duration { return time.Duration(c.Steps) * c.Period }

func (c TurnConfig) validate() error {
	return errors.Join(
		check.In("turn.steps", c.Steps, 2, 6),
		check.In("turn.period", c.Period, time.Second, 10*time.Second),
		check.In("turn.warning", c.Warning, 500*time.Millisecond, 10*time.Second),
		check.In("turn.yaw", c.Yaw, 8, 40),
		check.In("turn.pitch", c.Pitch, 8, 40),
		check.In("turn.closer", c.Closer, 1.08, 2),
	)
}

// DefaultConfig asks for nine colours in three seconds, or for three movements in five. Two tries at either fit into a session of 15 s.
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
		Turn: TurnConfig{
			Steps: 3, Period: 1700 * time.Millisecond, Warning: 800 * time.Millisecond,
			Yaw: 15, Pitch: 12, Closer: 1.18,
		},
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
		c.Turn.validate(),
	)
}

// decoys is how many sequences that nobody was shown must do worse.
func (c Config) decoys() int { return int(math.Ceil(1/c.FalseAccepts)) - 1 }

// duration of a sequence, from the first change to the return to grey.
func (c Config) duration() time.Duration { return time.Duration(c.Colours)*c.Period + ramp }
