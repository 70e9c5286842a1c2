package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
)

// shown is how many of the worst videos of each class the report lists, and moments how long a timeline may be.
const (
	shown   = 6
	moments = 400
)

// worst returns the attacks with the highest scores, and the acquired bona fide with the lowest.
func worst(measured []record) (attacks, bonaFide []record) {
	bonaFide, attacks = split(filter(measured, func(r record) bool { return r.Acquired }))
	byScore := func(a, b record) int { return cmp.Or(cmp.Compare(a.Score, b.Score), strings.Compare(a.Name, b.Name)) }
	slices.SortFunc(bonaFide, byScore)
	slices.SortFunc(attacks, func(a, b record) int { return byScore(b, a) })
	return attacks[:min(shown, len(attacks))], bonaFide[:min(shown, len(bonaFide))]
}

func videos(records []record) []Video {
	list := make([]Video, len(records))
	for i, r := range records {
		list[i] = Video{
			Name: r.Name, Subject: r.Subject, AttackType: r.AttackType, Instrument: r.Instrument, Still: r.Still, Score: r.Score,
			Verdict: string(r.Verdict), DecidedAt: r.DecidedAt, Timeline: timeline(r.Samples),
		}
		for _, why := range r.Reasons {
			list[i].Reasons = append(list[i].Reasons, clean(string(why)))
		}
	}
	return list
}

// timeline leaves out samples at equal distances where there are very many.
func timeline(samples []liveproof.Sample) (list []Moment) {
	step := 1 + (len(samples)-1)/moments
	for i := 0; i < len(samples); i += step {
		s := samples[i]
		m := Moment{T: s.T.Seconds()}
		if s.Scored {
			m.Rho = &s.Rho
		} else if len(s.Reasons) > 0 {
			m.Reason = clean(string(s.Reasons[0]))
		}
		list = append(list, m)
	}
	return list
}

// failures lists the records that a test picks, by name.
func failures(measured []record, failed func(record) bool) []Failure {
	list := []Failure{}
	for _, r := range filter(measured, failed) {
		list = append(list, Failure{Name: r.Name, AttackType: r.AttackType, Reason: commonest(r), Samples: r.Frames.Sampled, Error: r.Error})
	}
	slices.SortFunc(list, func(a, b Failure) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// commonest is the reason that most samples were not scored for; of equals the first by name. Without samples it is the verdict's.
func commonest(r record) string {
	best := liveproof.Reason("")
	for _, why := range slices.Sorted(maps.Keys(r.Unscored)) {
		if best == "" || r.Unscored[why] > r.Unscored[best] {
			best = why
		}
	}
	if best == "" && len(r.Reasons) > 0 {
		best = r.Reasons[0]
	}
	return clean(string(best))
}
