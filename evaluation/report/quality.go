package report

import (
	"slices"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// Quality tells how the error rates depend on how well the faces were seen, and what limits of quality would change. Its rates count samples and
// not presentations: a sample is rejected where its own ρ is below the threshold. Samples of one video are alike, so the
// intervals are too narrow for videos; Subjects says how many people a row rests on.
type Quality struct {
	Threshold float64 `json:"threshold"`
	// Measures are in the order of liveproof.QualityMeasures.
	Measures []QualityMeasure `json:"measures"`
	// Limits has a row for all samples, for those that the limits keep, for those that they refuse, and for those
	// that they refuse by each reason. A sample may be refused for several.
	Limits []QualityLimit `json:"limits"`
}

// QualityMeasure is the error rates by one measure.
type QualityMeasure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Bins part the samples at quantiles of the bona fide ones; a measure of which most have one value has fewer bins.
	Bins []QualityBin `json:"bins"`
}

// QualityBin is the samples from Low to below High; absent where there is no bound.
type QualityBin struct {
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
	QualityRates
}

// QualityLimit is the samples that the limits of quality keep or refuse.
type QualityLimit struct {
	// Name is "all", "kept", "refused" or the code of a reason.
	Name string `json:"name"`
	// Share is the share of all samples of bona fide, AttackShare that of attacks; absent without any.
	Share       *Rate `json:"share,omitempty"`
	AttackShare *Rate `json:"attack_share,omitempty"`
	QualityRates
}

// QualityRates are error rates of samples; absent where there are none.
type QualityRates struct {
	Subjects int   `json:"subjects"` // bona fide
	BPCER    *Rate `json:"bpcer,omitempty"`
	APCER    *Rate `json:"apcer,omitempty"`
}

// seen is a scored sample whose face was measured.
type seen struct {
	liveproof.Quality
	subject  string
	bonaFide bool
	accepted bool
}

// qualityCuts are the quantiles of bona fide at which bins end: closer where a limit would lie.
var qualityCuts = []float64{0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95}

// quality is nil where it was not asked for, no threshold holds for all, or no sample was measured.
func quality(measured []record, rules []threshold, about About) *Quality {
	if about.Refuses == nil || len(rules) == 0 {
		return nil
	}
	samples := seenSamples(measured, rules[0].value)
	if len(samples) == 0 {
		return nil
	}
	q := &Quality{Threshold: rules[0].value, Limits: limits(samples, about.Refuses)}
	for _, m := range liveproof.QualityMeasures() {
		q.Measures = append(q.Measures, QualityMeasure{m.Name, m.Unit, qualityBins(samples, m.Of)})
	}
	return q
}

func seenSamples(measured []record, threshold float64) (list []seen) {
	for _, r := range measured {
		if len(r.Qualities) != len(r.Samples) {
			continue
		}
		for i, s := range r.Samples {
			if q := r.Qualities[i]; s.Scored && q.Size > 0 {
				list = append(list, seen{q, r.Subject, r.BonaFide(), s.Rho >= threshold})
			}
		}
	}
	return list
}

// limits counts what the limits do with the samples.
func limits(all []seen, refuses func(liveproof.Quality) []liveproof.Reason) []QualityLimit {
	by := map[liveproof.Reason][]seen{}
	var kept, refused []seen
	for _, s := range all {
		reasons := refuses(s.Quality)
		for _, why := range reasons {
			by[why] = append(by[why], s)
		}
		if len(reasons) == 0 {
			kept = append(kept, s)
		} else {
			refused = append(refused, s)
		}
	}
	rows := []QualityLimit{limit("all", all, all), limit("kept", kept, all), limit("refused", refused, all)}
	for _, info := range liveproof.ReasonTable() {
		if of := by[info.Code]; len(of) > 0 {
			rows = append(rows, limit(string(info.Code), of, all))
		}
	}
	return rows
}

func limit(name string, of, all []seen) QualityLimit {
	bonaFide, attacks := classes(of)
	allBonaFide, allAttacks := classes(all)
	return QualityLimit{
		Name: name, QualityRates: qualityRates(of),
		Share:       rateOf(metrics.Proportion{Count: len(bonaFide), Of: len(allBonaFide)}),
		AttackShare: rateOf(metrics.Proportion{Count: len(attacks), Of: len(allAttacks)}),
	}
}

// qualityBins parts the samples at quantiles of the bona fide, or of all where there are none.
func qualityBins(all []seen, of func(liveproof.Quality) float64) (bins []QualityBin) {
	from, _ := classes(all)
	if len(from) == 0 {
		from = all
	}
	list := make([]float64, len(from))
	for i, s := range from {
		list[i] = of(s.Quality)
	}
	slices.Sort(list)
	var edges []float64
	for _, share := range qualityCuts {
		if v := list[int(share*float64(len(list)))]; v > list[0] && (len(edges) == 0 || v > edges[len(edges)-1]) {
			edges = append(edges, v)
		}
	}
	for i := range len(edges) + 1 {
		bin := QualityBin{}
		if i > 0 {
			bin.Low = &edges[i-1]
		}
		if i < len(edges) {
			bin.High = &edges[i]
		}
		bin.QualityRates = qualityRates(within(all, of, bin))
		bins = append(bins, bin)
	}
	return bins
}

func within(all []seen, of func(liveproof.Quality) float64, bin QualityBin) (list []seen) {
	for _, s := range all {
		if v := of(s.Quality); (bin.Low == nil || v >= *bin.Low) && (bin.High == nil || v < *bin.High) {
			list = append(list, s)
		}
	}
	return list
}

func qualityRates(of []seen) QualityRates {
	bonaFide, attacks := classes(of)
	subjects, rejected, accepted := map[string]bool{}, 0, 0
	for _, s := range bonaFide {
		subjects[s.subject] = true
		if !s.accepted {
			rejected++
		}
	}
	for _, s := range attacks {
		if s.accepted {
			accepted++
		}
	}
	return QualityRates{
		Subjects: len(subjects),
		BPCER:    rateOf(metrics.Proportion{Count: rejected, Of: len(bonaFide)}),
		APCER:    rateOf(metrics.Proportion{Count: accepted, Of: len(attacks)}),
	}
}

func classes(of []seen) (bonaFide, attacks []seen) {
	for _, s := range of {
		if s.bonaFide {
			bonaFide = append(bonaFide, s)
		} else {
			attacks = append(attacks, s)
		}
	}
	return bonaFide, attacks
}
