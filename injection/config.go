package injection

import (
	"errors"
	"net/url"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// What Config.Withhold can be.
const (
	WithholdAuto = "auto"
	WithholdOff  = "off"
)

// What Config.Probe can be.
const (
	ProbeAuto = "auto"
	ProbeOff  = "off"
)

// Config says what a suspicion of injection does.
type Config struct {
	// Withhold: auto keeps a session from becoming live while its injection risk is at least threshold; off only
	// records the risk, for servers to which recordings are published on purpose.
	Withhold string `yaml:"withhold"`
	// Threshold is the risk from which on live is withheld, (0, 1]. docs/injection.md has the false alarms of the shipped value; below
	// it, publishers that do not hide that they send a file are withheld too.
	Threshold float64 `yaml:"threshold"`
	// Probe: auto asks the client of each session once to send fewer pictures a second for a moment, and looks for the effect in the stream;
	// off does not. It is off as shipped, because the evidence may begin again while fewer pictures come (docs/injection.md).
	Probe string `yaml:"probe"`
	// Attestation is the check of the client's own statement about itself.
	Attestation AttestationConfig `yaml:"attestation"`
}

// AttestationConfig says who verifies what clients state about themselves (Liveproof-Attestation, message attestation).
type AttestationConfig struct {
	// URL is that of an external verifier, which gets each statement by POST; "" verifies nothing.
	URL string `yaml:"url"`
	// Timeout bounds one call of the verifier, [100ms, 30s].
	Timeout time.Duration `yaml:"timeout"`
	// Require withholds live from a session whose statement was not verified: none came, it was refused, or the verifier
	// failed. Otherwise only a refused statement is a risk.
	Require bool `yaml:"require"`
}

// DefaultConfig withholds only what no publisher of the client suite shows.
func DefaultConfig() Config {
	return Config{Withhold: WithholdAuto, Threshold: 0.8, Probe: ProbeOff, Attestation: AttestationConfig{Timeout: 3 * time.Second}}
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	a := c.Attestation
	u, err := url.Parse(a.URL)
	address := err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
	return errors.Join(
		check.OneOf("withhold", c.Withhold, WithholdAuto, WithholdOff),
		check.OneOf("probe", c.Probe, ProbeAuto, ProbeOff),
		check.Above("threshold", c.Threshold, 0, 1),
		check.That("attestation.url", a.URL == "" || address, "%q is not an address such as https://verifier.example.org/attest", a.URL),
		check.In("attestation.timeout", a.Timeout, 100*time.Millisecond, 30*time.Second),
		check.That("attestation.require", !a.Require || a.URL != "", "nobody could become live: attestation.url names no verifier"),
		check.That("attestation.require", !a.Require || c.Withhold != WithholdOff, "it has no effect while injection.withhold is off"),
	)
}
