package verdict

import (
	"errors"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// Policy is the rule by which samples become a verdict.
type Policy struct {
	// Tau is the smoothing's time constant τ, [50ms, 1m].
	Tau time.Duration `yaml:"tau"`
	// Threshold is θ on ρ, (0,1), for sessions without a calibration; 0 takes the model's own. Section calibration has the
	// rule, and docs/thresholds.md explains it. It cannot be set together with calibration.default.
	Threshold float64 `yaml:"threshold"`
	// Margin is the distance from the threshold that a decision needs, [0, 0.5).
	Margin float64 `yaml:"margin"`
	// Hold is for how long the smoothed score must stay beyond the margin, [200ms, 30s].
	Hold time.Duration `yaml:"hold"`
	// MinSamples is the least number of scored samples, [3, 1000].
	MinSamples int `yaml:"min_samples"`
	// MinSpan is the least time from the first to the last scored sample, [500ms, 1m].
	MinSpan time.Duration `yaml:"min_span"`
	// Deadline is when a one-shot session ends inconclusive; above MinSpan and Hold, at most 10m.
	Deadline time.Duration `yaml:"-"`
	// Hysteresis is how far below the threshold the smoothed score of a call must fall before live is withdrawn, [0, 0.5).
	Hysteresis float64 `yaml:"hysteresis"`
	// MaxGap is the longest time between two scored samples that counts towards hold, [50ms, hold].
	MaxGap time.Duration `yaml:"max_gap"`
	// RestartGap is the silence after which evidence restarts, [max_gap, 1m].
	RestartGap time.Duration `yaml:"restart_gap"`
	// MaxDissent is the share of recent samples that may lie on the other side of the threshold, (0, 1]; 1 allows any.
	MaxDissent float64 `yaml:"max_dissent"`
	// MaxDoubt is how many doubtful samples in a row restart the evidence, [1, 1000].
	MaxDoubt int `yaml:"max_doubt"`
	// Require is the evidence without which no session becomes live: passive, motion, flash, turn. passive cannot be left
	// out. flash and turn, which ask the person for something, do not apply to calls. A session's creator may ask for more.
	Require []liveproof.Evidence `yaml:"require"`
	// RequireOf has such a list for each tenant that needs another one, by the tenant's name.
	RequireOf map[string][]liveproof.Evidence `yaml:"require_of"`
	// Alternative is what takes the place of a required flash for a person who wants no light: turn, or none. The client says so, without
	// proof: with turn, a session that requires flash is no harder to pass than one that requires turn. Where turn is required
	// itself, nothing takes flash's place.
	Alternative string `yaml:"alternative"`
}

// The values of Policy.Alternative.
const (
	AlternativeTurn = "turn"
	AlternativeNone = "none"
)

// DefaultPolicy is the shipped rule.
func DefaultPolicy() Policy {
	return Policy{
		Tau:        time.Second,
		Margin:     0.05,
		Hold:       time.Second,
		MinSamples: 10,
		MinSpan:    2 * time.Second,
		Deadline:   15 * time.Second,
		Hysteresis: 0.05,
		MaxGap:     700 * time.Millisecond,
		RestartGap: 2 * time.Second,
		MaxDissent: 0.35,
		MaxDoubt:   3,
		Require:    []liveproof.Evidence{liveproof.EvidencePassive, liveproof.EvidenceMotion},

		Alternative: AlternativeTurn,
	}
}

// For returns the policy by which one session is judged: with its threshold, its deadline if it has one, and the evidence that
// it requires.
func (p Policy) For(s liveproof.Session) Policy {
	p.Threshold = s.Threshold.Value
	if s.Deadline > 0 {
		p.Deadline = s.Deadline
	}
	p.Require, p.RequireOf = p.Required(s.Tenant, s.Mode, s.Require), nil
	return p
}

// Required is the evidence that a session requires, in the order of liveproof.Evidences: what the policy requires of its tenant,
// and what its creator asked for.
func (p Policy) Required(tenant string, mode liveproof.Mode, asked []liveproof.Evidence) []liveproof.Evidence {
	own, named := p.RequireOf[tenant]
	if !named {
		own = p.Require
	}
	var all []liveproof.Evidence
	for _, e := range liveproof.Evidences() {
		byPolicy := slices.Contains(own, e) && !(e.Challenge() && mode == liveproof.ModeCall)
		if e == liveproof.EvidencePassive || byPolicy || slices.Contains(asked, e) {
			all = append(all, e)
		}
	}
	return all
}

// Instead is the evidence that may take the place of e, which is required; empty: none.
func (p Policy) Instead(e liveproof.Evidence) liveproof.Evidence {
	if e != liveproof.EvidenceFlash || p.Alternative != AlternativeTurn || slices.Contains(p.Require, liveproof.EvidenceTurn) {
		return ""
	}
	return liveproof.EvidenceTurn
}

// Validate reports every value that is out of range; each error begins with its
// key. A threshold of 0 is accepted here, as it stands for the model's; New does not accept it.
func (p Policy) Validate() error {
	const long = time.Minute
	return errors.Join(
		check.In("tau", p.Tau, 50*time.Millisecond, long),
		check.That("threshold", p.Threshold >= 0 && p.Threshold < 1, "%v is out of range [0, 1)", p.Threshold),
		check.That("margin", p.Margin >= 0 && p.Margin < 0.5, "%v is out of range [0, 0.5)", p.Margin),
		check.In("hold", p.Hold, 200*time.Millisecond, 30*time.Second),
		check.In("min_samples", p.MinSamples, 3, 1000),
		check.In("min_span", p.MinSpan, 500*time.Millisecond, long),
		check.In("deadline", p.Deadline, max(p.MinSpan, p.Hold)+1, 10*time.Minute),
		check.That("hysteresis", p.Hysteresis >= 0 && p.Hysteresis < 0.5, "%v is out of range [0, 0.5)", p.Hysteresis),
		check.In("max_gap", p.MaxGap, 50*time.Millisecond, p.Hold),
		check.In("restart_gap", p.RestartGap, p.MaxGap, long),
		check.Above("max_dissent", p.MaxDissent, 0, 1),
		check.In("max_doubt", p.MaxDoubt, 1, 1000),
		validRequire("require", p.Require),
		p.validRequireOf(),
		check.That("alternative", p.Alternative == AlternativeTurn || p.Alternative == AlternativeNone, "%q is neither turn nor none", p.Alternative),
	)
}

func (p Policy) validRequireOf() error {
	var errs []error
	for tenant, list := range p.RequireOf {
		errs = append(errs, validRequire("require_of."+tenant, list))
	}
	return errors.Join(errs...)
}

func validRequire(key string, list []liveproof.Evidence) error {
	unknown := func(e liveproof.Evidence) bool { return !e.Known() }
	return errors.Join(
		check.That(key, !slices.ContainsFunc(list, unknown), "%v: the kinds of evidence are %v", list, liveproof.Evidences()),
		check.That(key, slices.Contains(list, liveproof.EvidencePassive), "%v: passive cannot be left out", list),
	)
}

// upper and lower are θ+m and θ-m. The margin is cut to half of what is left, so
// that a model with a threshold near 0 or 1 can still pass and fail.
func (p Policy) upper() float64 { return p.Threshold + min(p.Margin, (1-p.Threshold)/2) }
func (p Policy) lower() float64 { return p.Threshold - min(p.Margin, p.Threshold/2) }

// leave is where call mode withdraws live.
func (p Policy) leave() float64 { return p.Threshold - min(p.Hysteresis, p.Threshold/2) }
