package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// Verdicts are what the pipeline decided. All rates but CalledLive and CalledSpoof are of all videos of the row, with
// or without a decision.
type Verdicts struct {
	BonaFide *VerdictRow `json:"bona_fide,omitempty"`
	// Attacks is all attacks, and Species each species of them.
	Attacks *VerdictRow  `json:"attacks,omitempty"`
	Species []VerdictRow `json:"species,omitempty"`
	// Reasons counts the first reason of each video that was not decided, the commonest first.
	Reasons []ReasonRow `json:"reasons"`
	// Times are the times from the first picture to the verdict.
	Times []TimeRow `json:"times"`
}

// VerdictRow counts the verdicts of one kind of presentation.
type VerdictRow struct {
	Name   string `json:"name"`
	Videos int    `json:"videos"`
	// Live of attacks is APCER.
	Live Rate `json:"live"`
	// Spoof of bona fide is BPCER.
	Spoof Rate `json:"spoof"`
	// Inconclusive is the non-response rate: APNRR of attacks, BPNRR of bona fide.
	Inconclusive Rate `json:"inconclusive"`
	// NotLive is spoof or inconclusive: the bona fide who are not let through.
	NotLive Rate `json:"not_live"`
	// CalledLive and CalledSpoof are of the decided videos only; absent where none was.
	CalledLive  *Rate `json:"called_live,omitempty"`
	CalledSpoof *Rate `json:"called_spoof,omitempty"`
}

// ReasonRow counts the undecided videos with one first reason.
type ReasonRow struct {
	Reason   liveproof.Reason `json:"reason"`
	Meaning  string           `json:"meaning"`
	BonaFide int              `json:"bona_fide"`
	Attacks  int              `json:"attacks"`
}

// TimeRow summarises the time to a verdict, in seconds: values that occurred, without interpolation.
type TimeRow struct {
	Name   string  `json:"name"`
	Videos int     `json:"videos"` // that were decided
	Median float64 `json:"p50"`
	P90    float64 `json:"p90"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
	// Curve is how many of all videos were decided by which time, as shares of Of.
	Of    int         `json:"of"`
	Curve []TimePoint `json:"curve"`
}

// TimePoint says which share of videos was decided by a time.
type TimePoint struct {
	T     float64 `json:"t"`
	Share float64 `json:"share"`
}

// noVerdict stands for the reason of a video that ended without a verdict, such as a file that could not be read.
const noVerdict liveproof.Reason = "no_verdict"

// verdicts computes the part; nil without a video.
func verdicts(measured []record) *Verdicts {
	videos := filter(measured, func(r record) bool { return !r.Still })
	if len(videos) == 0 {
		return nil
	}
	bonaFide, attacks := split(videos)
	v := &Verdicts{BonaFide: verdictRow("bona fide", bonaFide), Attacks: verdictRow("all attacks", attacks), Reasons: undecided(videos), Times: []TimeRow{}}
	for _, s := range speciesOf(attacks) {
		v.Species = append(v.Species, *verdictRow(s, filter(attacks, func(r record) bool { return r.AttackType == s })))
	}
	for _, kind := range []struct {
		name   string
		videos []record
	}{{"bona fide", bonaFide}, {"attacks", attacks}} {
		if row, ok := timeRow(kind.name, kind.videos); ok {
			v.Times = append(v.Times, row)
		}
	}
	return v
}

func verdictRow(name string, videos []record) *VerdictRow {
	outcomes := make([]liveproof.Outcome, len(videos))
	for i, r := range videos {
		outcomes[i] = r.Verdict
	}
	d, err := metrics.Decide(outcomes)
	if err != nil {
		return nil // there are none
	}
	return &VerdictRow{
		Name: name, Videos: d.Of(), Live: rate(d.Accepted()), NotLive: rate(d.Rejected()), Inconclusive: rate(d.NoResponse()),
		Spoof: rate(d.ClassifiedAttack()), CalledLive: rateOf(d.CalledLive()), CalledSpoof: rateOf(d.CalledSpoof()),
	}
}

func decided(r record) bool {
	return r.Verdict == liveproof.OutcomeLive || r.Verdict == liveproof.OutcomeSpoof
}

func undecided(videos []record) []ReasonRow {
	rows := map[liveproof.Reason]ReasonRow{}
	for _, r := range videos {
		if decided(r) {
			continue
		}
		why := noVerdict
		if len(r.Reasons) > 0 {
			why = r.Reasons[0]
		}
		row := rows[why]
		row.Reason, row.Meaning = why, meaning(why)
		if r.BonaFide() {
			row.BonaFide++
		} else {
			row.Attacks++
		}
		rows[why] = row
	}
	return slices.SortedFunc(maps.Values(rows), func(a, b ReasonRow) int {
		return cmp.Or(cmp.Compare(b.BonaFide+b.Attacks, a.BonaFide+a.Attacks), cmp.Compare(a.Reason, b.Reason))
	})
}

func meaning(why liveproof.Reason) string {
	if why == noVerdict {
		return "The file could not be judged to its end, so there is no verdict."
	}
	return why.Info().Meaning
}

func timeRow(name string, videos []record) (TimeRow, bool) {
	var times []float64
	for _, r := range videos {
		if decided(r) {
			times = append(times, r.DecidedAt)
		}
	}
	q, err := metrics.Quantiles(times, 0.5, 0.9, 0.95, 1)
	if err != nil {
		return TimeRow{}, false // none was decided
	}
	slices.Sort(times)
	row := TimeRow{Name: name, Videos: len(times), Median: q[0], P90: q[1], P95: q[2], Max: q[3], Of: len(videos)}
	for i, t := range times {
		if i+1 == len(times) || times[i+1] > t {
			row.Curve = append(row.Curve, TimePoint{t, float64(i+1) / float64(len(videos))})
		}
	}
	return row, true
}
