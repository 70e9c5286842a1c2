package robustness

import (
	"math"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// Change is what a step from one path to another changes of the same files.
type Change struct {
	// Files are in both paths; Compared of them have a scored sample in both.
	Files    int `json:"files"`
	Compared int `json:"compared"`
	// Delta is the distribution of |Δρ| over the compared files; all 0 without one.
	Delta Delta `json:"delta"`
	// Shift is the mean of Δρ, the later path's mean ρ minus the earlier one's.
	Shift float64 `json:"shift"`
	// Verdicts counts the files by their verdicts on the two paths.
	Verdicts Matrix `json:"verdicts"`
	// Agreement is the share of files whose verdict is the same, in [0,1].
	Agreement float64 `json:"agreement"`
}

// Delta is a distribution of |Δρ|, each in [0,1].
type Delta struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
}

// Matrix counts files by the verdict of the earlier path, then by that of the later one. What ended without live or
// spoof is inconclusive.
type Matrix map[liveproof.Outcome]map[liveproof.Outcome]int

// Count is the number of files that went from one verdict to another.
func (m Matrix) Count(from, to liveproof.Outcome) int { return m[from][to] }

func (m Matrix) add(from, to liveproof.Outcome) {
	if m[from] == nil {
		m[from] = map[liveproof.Outcome]int{}
	}
	m[from][to]++
}

// decision takes every verdict that is neither live nor spoof for inconclusive.
func decision(v liveproof.Outcome) liveproof.Outcome {
	if v == liveproof.OutcomeLive || v == liveproof.OutcomeSpoof {
		return v
	}
	return liveproof.OutcomeInconclusive
}

// Compare compares the results of two paths by the files' names. A session ends with its verdict, while a file is read to its
// end; so the mean ρ of both is that of the time which both lasted.
func Compare(earlier, later []evaluation.Result) (c Change) {
	before := make(map[string]evaluation.Result, len(earlier))
	for _, r := range earlier {
		before[r.Name] = r
	}
	c.Verdicts = Matrix{}
	var deltas []float64
	agree := 0
	for _, r := range later {
		was, ok := before[r.Name]
		if !ok {
			continue
		}
		c.Files++
		from, to := decision(was.Verdict), decision(r.Verdict)
		c.Verdicts.add(from, to)
		if from == to {
			agree++
		}
		if d, ok := delta(was, r); ok {
			deltas = append(deltas, d)
		}
	}
	c.Agreement = float64(agree) / float64(max(1, c.Files))
	c.Compared, c.Delta, c.Shift = len(deltas), distribution(deltas), mean(deltas)
	return c
}

// sampleTolerance lets a sample count on both paths although their clocks differ by a few pictures.
const sampleTolerance = 100 * time.Millisecond

// delta is Δρ; false where a path has no score.
func delta(earlier, later evaluation.Result) (float64, bool) {
	until := min(lasted(earlier), lasted(later)) + sampleTolerance
	a, ok := evaluation.MeanRho(within(earlier.Samples, until))
	b, ok2 := evaluation.MeanRho(within(later.Samples, until))
	return b - a, ok && ok2
}

func lasted(r evaluation.Result) (last time.Duration) {
	for _, s := range r.Samples {
		last = max(last, s.T)
	}
	return last
}

func within(samples []liveproof.Sample, until time.Duration) (kept []liveproof.Sample) {
	for _, s := range samples {
		if s.T <= until {
			kept = append(kept, s)
		}
	}
	return kept
}

func distribution(deltas []float64) (d Delta) {
	sizes := make([]float64, len(deltas))
	for i, v := range deltas {
		sizes[i] = math.Abs(v)
	}
	q, err := metrics.Quantiles(sizes, .5, .95, 1)
	if err != nil { // no file has a score in both
		return Delta{}
	}
	return Delta{Mean: mean(sizes), Median: q[0], P95: q[1], Max: q[2]}
}

func mean(values []float64) float64 {
	s, err := metrics.SpreadOf(values)
	if err != nil {
		return 0
	}
	return s.Mean
}
