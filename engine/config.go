package engine

import (
	"errors"
	"time"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/identity"
	"github.com/liveproof/liveproof/injection"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/motion"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/scorer"
	"github.com/liveproof/liveproof/verdict"
)

// Config is everything that decides how a stream is judged.
type Config struct {
	Media       media.Config
	Pipeline    pipeline.Config
	Detector    detector.Config
	Identity    identity.Config
	Scorer      scorer.Config
	Motion      motion.Config
	Verdict     verdict.Policy
	Challenge   challenge.Config
	Calibration calibration.Config
	Injection   injection.Config
	ONNX        onnx.Config
	Models      models.Config
}

// DefaultConfig judges on the CPU with the committed demo model.
func DefaultConfig() Config {
	return Config{
		Media:       media.DefaultConfig(),
		Pipeline:    pipeline.DefaultConfig(),
		Detector:    detector.DefaultConfig(),
		Identity:    identity.DefaultConfig(),
		Scorer:      scorer.DefaultConfig(),
		Motion:      motion.DefaultConfig(),
		Verdict:     verdict.DefaultPolicy(),
		Challenge:   challenge.DefaultConfig(),
		Calibration: calibration.DefaultConfig(),
		Injection:   injection.DefaultConfig(),
		ONNX:        onnx.DefaultConfig(),
		Models:      models.DefaultConfig(),
	}
}

// Validate reports every value that is out of range; each error begins with its section and key.
func (c Config) Validate() error {
	var errs []error
	for _, s := range []struct {
		section string
		err     error
	}{
		{"media", c.Media.Validate()},
		{"pipeline", c.Pipeline.Validate()},
		{"detector", c.Detector.Validate()},
		{"identity", c.Identity.Validate()},
		{"scorer", c.Scorer.Validate()},
		{"motion", c.Motion.Validate()},
		{"verdict", c.Verdict.Validate()},
		{"challenge", c.Challenge.Validate()},
		{"calibration", c.Calibration.Validate()},
		{"injection", c.Injection.Validate()},
		{"onnx", c.ONNX.Validate()},
		{"models", c.Models.Validate()},
	} {
		errs = append(errs, check.Prefix(s.section+".", s.err))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return check.Prefix("pipeline.", c.Pipeline.ValidateWith(c.Verdict)) // else each session would fail when it begins
}

// MinDeadline is the shortest deadline before which a one-shot session can be decided, in
// whole seconds.
func (c Config) MinDeadline() time.Duration {
	return max(c.Verdict.MinSpan, c.Verdict.Hold).Truncate(time.Second) + time.Second
}
