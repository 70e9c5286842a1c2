package metrics

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/liveproof/liveproof"
)

// Decisions counts the verdicts of presentations of one kind: all bona fide, or the attacks of a species.
type Decisions struct {
	Live  int `json:"live"`
	Spoof int `json:"spoof"`
	// None counts every other outcome: inconclusive, and what ended without a verdict.
	None int `json:"none"`
}

// Decide counts outcomes. It fails with [ErrEmpty] where there are none.
func Decide(outcomes []liveproof.Outcome) (d Decisions, err error) {
	if len(outcomes) == 0 {
		return d, fmt.Errorf("verdicts: %w", ErrEmpty)
	}
	for _, o := range outcomes {
		switch o {
		case liveproof.OutcomeLive:
			d.Live++
		case liveproof.OutcomeSpoof:
			d.Spoof++
		default:
			d.None++
		}
	}
	return d, nil
}

// Of is the number of presentations.
func (d Decisions) Of() int { return d.Live + d.Spoof + d.None }

// ClassifiedAttack is those with a verdict spoof: for bona fide its rate is BPCER
// (ISO/IEC 30107-3).
func (d Decisions) ClassifiedAttack() Proportion { return Proportion{d.Spoof, d.Of()} }

// Accepted is those with a verdict live: for attacks its rate is APCER.
func (d Decisions) Accepted() Proportion { return Proportion{d.Live, d.Of()} }

// Rejected is those without a verdict live, whether spoof or no decision: for
// bona fide its rate is BPCER and BPNRR together. A service lets nobody pass whom it cannot judge.
func (d Decisions) Rejected() Proportion { return Proportion{d.Spoof + d.None, d.Of()} }

// NoResponse is those without a decision: its rate is APNRR for attacks and
// BPNRR for bona fide.
func (d Decisions) NoResponse() Proportion { return Proportion{d.None, d.Of()} }

// CalledSpoof is those with a verdict spoof, of the ones with a decision. Of is 0
// where nothing was decided.
func (d Decisions) CalledSpoof() Proportion { return Proportion{d.Spoof, d.Live + d.Spoof} }

// CalledLive is those with a verdict live, of the ones with a decision. Of is 0
// where nothing was decided.
func (d Decisions) CalledLive() Proportion { return Proportion{d.Live, d.Live + d.Spoof} }

// Quantiles returns the values below or at which the given shares of all values
// lie: the smallest value v for which the share of values ≤ v is at least p.
// Nothing is interpolated: each is a value that occurred, such as a time to
// decision in seconds. The shares are in [0,1]. It fails with [ErrEmpty],
// [ErrNotFinite] or [ErrOutOfRange].
func Quantiles(values []float64, shares ...float64) ([]float64, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("quantiles: %w", ErrEmpty)
	}
	if err := finite(values); err != nil {
		return nil, fmt.Errorf("quantiles: %w", err)
	}
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, len(shares))
	for i, p := range shares {
		if err := inRange("quantile", p, 0, 1); err != nil {
			return nil, err
		}
		out[i] = stat.Quantile(p, stat.Empirical, sorted, nil)
	}
	return out, nil
}
