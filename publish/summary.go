package publish

import (
	"math"
	"slices"

	"github.com/liveproof/liveproof"
)

// Distribution says what many sessions got.
type Distribution struct {
	Sessions int                       `json:"sessions"` // with a result
	Refused  int                       `json:"refused"`  // sessions that the server refused for lack of capacity
	Refusals int                       `json:"refusals"` // by the server, also of sessions that had a place later
	Verdicts map[liveproof.Outcome]int `json:"verdicts"`
	// Decided sessions have a time to their verdict.
	Decided     int       `json:"decided"`
	ToVerdict   Quantiles `json:"seconds_to_verdict"`
	PerSecond   Quantiles `json:"scored_per_second"`
	Sampled     int64     `json:"sampled"`
	ScoredShare float64   `json:"scored_share"` // of all samples, in [0,1]
}

// Quantiles by nearest rank, so that each is a measured value; all 0 without one.
type Quantiles struct {
	Least  float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Most   float64 `json:"max"`
}

// Summarize counts. A result without a session is one that failed, and does not count.
func Summarize(results []Result) Distribution {
	d := Distribution{Verdicts: map[liveproof.Outcome]int{}}
	var times, rates []float64
	var scored int64
	for _, r := range results {
		d.Refusals += r.Refusals
		switch {
		case r.Refused:
			d.Refused++
			continue
		case r.Session == "":
			continue
		}
		d.Sessions++
		d.Verdicts[r.Outcome]++
		rates = append(rates, r.PerSecond)
		d.Sampled, scored = d.Sampled+r.Sampled, scored+r.Scored
		if r.SecondsToVerdict > 0 {
			times = append(times, r.SecondsToVerdict)
		}
	}
	d.Decided, d.ToVerdict, d.PerSecond = len(times), quantiles(times), quantiles(rates)
	if d.Sampled > 0 {
		d.ScoredShare = float64(scored) / float64(d.Sampled)
	}
	return d
}

// quantiles sorts the values.
func quantiles(values []float64) (q Quantiles) {
	if len(values) == 0 {
		return q
	}
	slices.Sort(values)
	rank := func(q float64) float64 { return values[int(math.Ceil(q*float64(len(values))))-1] }
	return Quantiles{values[0], rank(.5), rank(.95), values[len(values)-1]} //nolint:mnd // as the fields say
}

// VerdictTimes are the times to the verdict of many sessions, in seconds.
type VerdictTimes struct {
	Sessions  int     `json:"sessions"`  // with a verdict
	Undecided int     `json:"undecided"` // sessions without one
	Refused   int     `json:"refused"`   // sessions that the server refused for lack of capacity
	Median    float64 `json:"median_s"`
	P95       float64 `json:"p95_s"`
	Worst     float64 `json:"worst_s"`
}

// SummarizeVerdicts gives quantiles by nearest rank, so that each is a measured time.
func SummarizeVerdicts(results []Result) VerdictTimes {
	d := Summarize(results)
	return VerdictTimes{
		Sessions: d.Decided, Undecided: d.Sessions - d.Decided, Refused: d.Refused,
		Median: d.ToVerdict.Median, P95: d.ToVerdict.P95, Worst: d.ToVerdict.Most,
	}
}
