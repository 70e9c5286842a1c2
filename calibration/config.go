package calibration

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/liveproof/liveproof/internal/check"
)

// Config names the calibration files: thresholds with their evidence, which liveproof calibrate writes. Each must be of the
// scorer's model. The first that applies judges a session: that of the request, of the tenant, default, verdict.threshold,
// the model's own threshold. SIGHUP reads the files again, together with the model. docs/thresholds.md has more.
type Config struct {
	// Default is the calibration of every session that no key below gives another one; empty: verdict.threshold or, without
	// it, the threshold that the model's metadata names.
	Default string `yaml:"default"`
	// Tenants are the calibrations of tenants, as {bank-a: FILE}. Each tenant must have a key in ingest.api_keys.
	Tenants map[string]string `yaml:"tenants"`
	// Requests are calibrations that the creator of a session may ask for by their name, as {high_value: FILE}; any tenant may
	// ask for any of them ("calibration": "high_value" in POST /v1/sessions). A request cannot give a number.
	Requests map[string]string `yaml:"requests"`
}

// DefaultConfig has no calibration: verdict.threshold or the model's own threshold judges.
func DefaultConfig() Config { return Config{} }

// maxFiles bounds the calibrations of each kind.
const maxFiles = 1000

// Validate reports every name that is not allowed and every file that cannot be used; each error begins with its key.
func (c Config) Validate() error {
	errs := []error{
		check.In("tenants", len(c.Tenants), 0, maxFiles),
		check.In("requests", len(c.Requests), 0, maxFiles),
	}
	for _, name := range slices.Sorted(maps.Keys(c.Requests)) {
		errs = append(errs, check.That("requests", ValidName(name), "the name %q is not 1 to 63 characters of a-z, 0-9, - and _", name))
	}
	_, err := c.read()
	return errors.Join(append(errs, err)...)
}

// read reads every file; the error joins those of all files.
func (c Config) read() (Rules, error) {
	r := Rules{Tenants: map[string]Calibration{}, Requests: map[string]Calibration{}}
	var errs []error
	if c.Default != "" {
		made, err := Read(c.Default)
		errs = append(errs, check.Prefix("default: ", err))
		r.Default = &made
	}
	for key, files := range map[string]map[string]string{"tenants": c.Tenants, "requests": c.Requests} {
		into := map[string]map[string]Calibration{"tenants": r.Tenants, "requests": r.Requests}[key]
		for _, name := range slices.Sorted(maps.Keys(files)) {
			made, err := Read(files[name])
			errs = append(errs, check.Prefix(fmt.Sprintf("%s.%s: ", key, name), err))
			into[name] = made
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Rules{}, err
	}
	return r, nil
}
