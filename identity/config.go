package identity

import (
	"errors"
	"runtime"
	"time"

	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/onnx"
)

// Config says when two pictures show the same person. docs/adr/0014-identity.md has the measurements behind the limits.
type Config struct {
	// Provider runs the face embedder: auto, cpu, openvino, cuda or tensorrt. Empty: onnx.provider, and cpu where that is auto.
	Provider onnx.Provider `yaml:"provider"`
	// Parallel is how many faces may be embedded at once, [0, 1024]; 0: half of the CPUs, at least one. Sessions that need the embedder wait
	// for their turn.
	Parallel int `yaml:"parallel"`
	// Timeout bounds how long the answer of the embedder is awaited in a live session, [10ms, 10s]. After it the appearance alone decides. For
	// files there is no limit.
	Timeout time.Duration `yaml:"timeout"`
	// Every is how often the embedder compares a face that raises no doubt, [0s, 10m]; 0s: never.
	Every time.Duration `yaml:"every"`
	// Same is the cosine of two embeddings from which the person is the same, [other, 1].
	Same float64 `yaml:"same"`
	// Other is the cosine below which it is another person, if two comparisons in a row say so, [-1, 1].
	Other float64 `yaml:"other"`
	// Alike is the likeness of head and shoulders below which the person may be another, [0, sure]. 0 switches this off, and then only cuts
	// raise doubt.
	Alike float64 `yaml:"alike"`
	// Sure is the likeness from which the person is the same without an embedder, [0, 1].
	Sure float64 `yaml:"sure"`
}

// DefaultConfig returns the settings that the service starts with.
func DefaultConfig() Config {
	return Config{Timeout: 500 * time.Millisecond, Every: 5 * time.Second, Same: 0.62, Other: 0.2, Alike: 0.86, Sure: 0.9}
}

// Validate reports every setting out of its range; each error begins with the key.
func (c Config) Validate() error {
	errs := []error{
		check.In("parallel", c.Parallel, 0, 1024),
		check.In("timeout", c.Timeout, 10*time.Millisecond, 10*time.Second),
		check.In("every", c.Every, 0, 10*time.Minute),
		check.In("other", c.Other, -1, 1),
		check.In("same", c.Same, c.Other, 1),
		check.In("sure", c.Sure, 0, 1),
		check.In("alike", c.Alike, 0, c.Sure),
	}
	if c.Provider != "" {
		o := onnx.DefaultConfig()
		o.Provider = c.Provider
		errs = append(errs, o.Validate())
	}
	return errors.Join(errs...)
}

// parallel is how many faces may be embedded at once, ≥ 1.
func (c Config) parallel() int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return max(1, runtime.GOMAXPROCS(0)/2)
}
