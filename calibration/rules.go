package calibration

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// ErrUnknown says that a session asks for a calibration that this server does not have.
var ErrUnknown = errors.New("unknown calibration")

// Rules are all that a threshold can come from, beside the model. They do not change once they are made.
type Rules struct {
	// Requests are the calibrations that a session's creator may ask for, by name.
	Requests map[string]Calibration
	// Tenants are the calibrations of tenants, by tenant.
	Tenants map[string]Calibration
	// Default judges every other session; nil where Threshold does.
	Default *Calibration
	// Threshold is verdict.threshold; 0 takes the model's own.
	Threshold float64
}

// Load reads the files of the configuration; threshold is verdict.threshold. The error names every key that is wrong.
func Load(cfg Config, threshold float64) (Rules, error) {
	r, err := cfg.read()
	if err != nil {
		return Rules{}, check.Prefix("calibration.", err)
	}
	r.Threshold = threshold
	return r, r.check()
}

// check refuses two thresholds for the same sessions.
func (r Rules) check() error {
	return check.That("calibration.default", r.Default == nil || r.Threshold == 0,
		"verdict.threshold is set too, and only one can judge: delete one of them")
}

// Names are the calibrations that a session's creator may ask for, sorted.
func (r Rules) Names() []string { return slices.Sorted(maps.Keys(r.Requests)) }

// All calls yield for each calibration with the key that names it.
func (r Rules) All(yield func(key string, c Calibration) bool) {
	if r.Default != nil && !yield("calibration.default", *r.Default) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.Tenants)) {
		if !yield("calibration.tenants."+name, r.Tenants[name]) {
			return
		}
	}
	for _, name := range r.Names() {
		if !yield("calibration.requests."+name, r.Requests[name]) {
			return
		}
	}
}

// Fit reports every calibration that was made for another model, each with its key; the error wraps ErrOtherModel.
func (r Rules) Fit(model liveproof.ModelInfo) error {
	var errs []error
	for key, c := range r.All {
		if err := c.For(model); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// For is the one rule: it returns the threshold that judges the session when this model scores it. It fails with ErrUnknown
// for a name that the configuration does not have, and with ErrOtherModel for a calibration of another model; such a session
// must not be judged.
func (r Rules) For(s liveproof.Session, model liveproof.ModelInfo) (liveproof.Threshold, error) {
	if s.Calibration != "" {
		asked, known := r.Requests[s.Calibration]
		if !known {
			return liveproof.Threshold{}, r.unknown(s.Calibration)
		}
		return asked.threshold(liveproof.ThresholdOfRequest, model)
	}
	if own, ok := r.Tenants[s.Tenant]; ok {
		return own.threshold(liveproof.ThresholdOfTenant, model)
	}
	if r.Default != nil {
		return r.Default.threshold(liveproof.ThresholdOfConfiguration, model)
	}
	if r.Threshold != 0 {
		return liveproof.Threshold{Value: r.Threshold, Source: liveproof.ThresholdOfConfiguration}, nil
	}
	return liveproof.Threshold{Value: model.Threshold, Source: liveproof.ThresholdOfModel}, nil
}

func (r Rules) unknown(name string) error {
	known := "calibration.requests is empty"
	if names := r.Names(); len(names) > 0 {
		known = "calibration.requests has " + strings.Join(names, ", ")
	}
	return fmt.Errorf("%w %q: %s", ErrUnknown, name, known)
}

// threshold is the calibration's, if it was made for this model.
func (c Calibration) threshold(source liveproof.ThresholdSource, model liveproof.ModelInfo) (liveproof.Threshold, error) {
	if err := c.For(model); err != nil {
		return liveproof.Threshold{}, err
	}
	return liveproof.Threshold{Value: c.Threshold, Source: source, Calibration: c.Name, CalibrationSHA256: c.SHA256}, nil
}
