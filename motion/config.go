package motion

import (
	"errors"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// Config says how much motion is evidence.
type Config struct {
	// MinResidual is the motion, besides that of a photograph, from which two samples count as different, in levels, [0.05, 50].
	// Encoders' noise gives less. A fine value lets coarsely encoded photographs pass, a coarse one asks people to move more.
	MinResidual float64 `yaml:"min_residual"`
	// Needed is the sum at which the evidence is given, [2.1, 100]. Two samples that differ add how often their difference exceeds
	// min_residual, less a half, and at most 2: so a single event, such as a cut to another photograph, is never enough. A span
	// without a difference takes off a half.
	Needed float64 `yaml:"needed"`
	// Span is how long a sample is compared with later ones, [200ms, 2s]. Within it a face shows some motion.
	Span time.Duration `yaml:"span"`
	// RigidShift is the way of a face, in shares of its size, after which the reason rigid_motion is given if it moved as a
	// photograph does over three spans, [0.001, 10].
	RigidShift float64 `yaml:"rigid_shift"`
}

// DefaultConfig has the measured limits (docs/adr/0015-motion.md).
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
