package motion

import (
	"errors"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// Config says how much motion is evidence.
type Config struct {
	// MinResidual is the motion of a face, besides that of a photograph, from which two samples differ, in levels of a finely encoded
	// picture, [0.05, 50]. A lower value takes an encoder's noise for motion; a higher one asks people to move more.
	MinResidual float64 `yaml:"min_residual"`
	// Needed is the sum of such differences, in multiples of min_residual, that is evidence, [2.1, 100]. One difference adds 2 at most, so
	// that a cut from one photograph to another is not enough.
	Needed float64 `yaml:"needed"`
	// Span is for how long a sample is compared with later ones, [200ms, 2s]. A span without a difference takes 1 off the sum.
	Span time.Duration `yaml:"span"`
	// RigidShift is how far a face must move as a photograph does, in shares of its size, to be reported as rigid_motion, [0.001, 10].
	RigidShift float64 `yaml:"rigid_shift"`
}

// DefaultConfig has the limits that were measured (docs/adr/0015-motion.md).
func DefaultConfig() Config {
	return Config{MinResidual: 0.35, Needed: 3, Span: 600 * time.Millisecond, RigidShift: 0.03}
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.In("min_residual", c.MinResidual, 0.05, 50),
		check.In("needed", c.Needed, maxStep+0.1, 100),
		check.In("span", c.Span, 200*time.Millisecond, 2*time.Second),
		check.In("rigid_shift", c.RigidShift, 0.001, 10),
	)
}
