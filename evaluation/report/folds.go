package report

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// fold computes a sub-protocol's rates at the three thresholds.
func fold(name string, dev, eval []record, about About) (Fold, error) {
	f := Fold{Name: clean(name), Dev: count(dev), Eval: count(eval), Missing: map[string]string{}}
	s, err := newSampler(eval, about.Cluster)
	switch {
	case errors.Is(err, metrics.ErrSingleClass):
		s = nil
		f.Missing["auc"] = oneClass(f.Eval)
	case err != nil:
		return f, err
	default:
		if err := f.areas(s); err != nil {
			return f, err
		}
	}
	for _, t := range thresholds(dev, eval, about) {
		at, err := atThreshold(t, s, eval)
		if err != nil {
			return f, err
		}
		f.At = append(f.At, at)
	}
	return f, nil
}

// oneClass says what cannot be given without one of the classes.
func oneClass(c Counts) string {
	switch {
	case c.All() == 0:
		return "nothing was measured"
	case c.Attacks == 0:
		return "no attack was measured: AUC, EER, HTER, ACER and APCER need some"
	}
	return "no bona fide was measured: AUC, EER, HTER, ACER and BPCER need some"
}

// areas fills what needs no threshold of its own.
func (f *Fold) areas(s *sampler) (err error) {
	if f.AUC, err = s.scored((*metrics.Set).AUC); err != nil {
		return err
	}
	if f.EER, err = s.scored(func(s *metrics.Set) float64 { return s.EERPoint().HTER() }); err != nil {
		return err
	}
	for _, limit := range []float64{0.01, 0.001} {
		p, err := s.set.TPRAtFPR(limit)
		if err != nil {
			return err
		}
		accepted, rejected := s.set.Errors(p.Threshold)
		passed := metrics.Proportion{Count: rejected.Of - rejected.Count, Of: rejected.Of}
		f.TPRAtFPR = append(f.TPRAtFPR, Operating{limit, finite(p.Threshold), rate(accepted), rate(passed)})
	}
	f.PublishedRules, err = publishedRules(s.set)
	return err
}

func publishedRules(set *metrics.Set) ([]RuleHTER, error) {
	iadg, err := set.IADG()
	if err != nil {
		return nil, fmt.Errorf("IADG's rule: %w", err)
	}
	return []RuleHTER{
		{"SSDG, FLIP", set.Grid().HTER()}, {"SSAN", set.SSAN().HTER()}, {"SA-FAS", set.SAFAS().HTER()}, {"IADG", iadg.HTER()},
	}, nil
}

// finite writes the threshold that accepts nothing as a number that JSON can carry: the next one above all scores.
func finite(threshold float64) float64 {
	if math.IsInf(threshold, 1) {
		return math.Nextafter(1, 2)
	}
	return threshold
}

// threshold is one that was chosen, or why it could not be.
type threshold struct {
	rule    Rule
	value   float64
	missing string
}

// thresholds chooses the model's, the realistic and the idealised one.
func thresholds(dev, eval []record, about About) []threshold {
	return []threshold{modelThreshold(about), equalError(RuleRealistic, dev, "development set"), equalError(RuleIdealised, eval, "measured set")}
}

func modelThreshold(about About) threshold {
	if t := about.Model.Threshold; t > 0 && t <= 1 {
		return threshold{rule: RuleModel, value: t}
	}
	return threshold{rule: RuleModel, missing: "the model carries no threshold"}
}

func equalError(rule Rule, records []record, set string) threshold {
	if len(records) == 0 {
		return threshold{rule: rule, missing: "there is no " + set}
	}
	bonaFide, attacks := split(records)
	s, err := metrics.New(scores(bonaFide), scores(attacks))
	if err != nil { // scores were checked: only a class can be missing
		return threshold{rule: rule, missing: "the " + set + " lacks " + missingClass(len(attacks))}
	}
	return threshold{rule: rule, value: s.EERPoint().Threshold}
}

func missingClass(attacks int) string {
	if attacks == 0 {
		return "attacks"
	}
	return "bona fide"
}

// atThreshold computes all rates at a threshold; without the sampler, those of the class that is there.
func atThreshold(t threshold, s *sampler, eval []record) (At, error) {
	if t.missing != "" {
		return At{Rule: t.rule, Missing: t.missing}, nil
	}
	value := finite(t.value)
	a := At{Rule: t.rule, Threshold: &value}
	bonaFide, attacks := split(eval)
	a.BPCER, a.APCERPooled = rateOf(rejectedAt(bonaFide, t.value)), rateOf(acceptedAt(attacks, t.value))
	a.Species, a.APCER = acceptedBy(attacks, t.value, "attack_type")
	if haveInstruments(attacks) {
		a.Instruments, a.APCERInstrument = acceptedBy(attacks, t.value, "instrument")
	}
	if s == nil {
		a.Missing = oneClass(count(eval))
		return a, nil
	}
	return a, a.means(s, t)
}

// means fills the figures that need both classes.
func (a *At) means(s *sampler, t threshold) (err error) {
	hter := func(set *metrics.Set) float64 { return set.At(t.value).HTER() }
	if t.rule == RuleIdealised { // it is chosen anew on each resample, as it is chosen on the whole
		hter = func(set *metrics.Set) float64 { return set.EERPoint().HTER() }
	}
	if a.HTER, err = s.scored(hter); err != nil {
		return err
	}
	iso, err := metrics.AtThreshold(scores(s.bonaFide), isoAttacks(s.attacks), t.value)
	if err != nil {
		return err
	}
	if a.ACER, err = s.iso(iso, metrics.ISO.ACER); err != nil {
		return err
	}
	pooled := iso.ACERPooled()
	a.ACERPooled = &pooled
	if a.APCERInstrument != nil {
		instrument := iso.ACERInstrument()
		a.ACERInstrument = &instrument
	}
	return nil
}

func acceptedAt(attacks []record, t float64) metrics.Proportion {
	return metrics.Proportion{Count: len(filter(attacks, func(r record) bool { return r.Score >= t })), Of: len(attacks)}
}

func rejectedAt(bonaFide []record, t float64) metrics.Proportion {
	return metrics.Proportion{Count: len(filter(bonaFide, func(r record) bool { return r.Score < t })), Of: len(bonaFide)}
}

// acceptedBy returns the rate of each species or instrument, and the worst of them.
func acceptedBy(attacks []record, t float64, by string) (list []Named, worst *Named) {
	for _, name := range attackValues(attacks, by) {
		of := filter(attacks, func(r record) bool { return column(r, by) == name })
		list = append(list, Named{name, rate(acceptedAt(of, t))})
	}
	for i := range list {
		if worst == nil || list[i].Value > worst.Value {
			worst = &list[i]
		}
	}
	return list, worst
}

func attackValues(attacks []record, by string) []string {
	if by == "attack_type" {
		return speciesOf(attacks)
	}
	place := map[string]int{} // instruments stand by their species
	for _, r := range attacks {
		place[r.Instrument] = placeOf(r.AttackType)
	}
	return values(attacks, func(r record) string { return column(r, by) }, func(a, b string) int { return place[a] - place[b] })
}

// haveInstruments reports whether the attacks name instruments that are not just the species.
func haveInstruments(attacks []record) bool {
	return slices.ContainsFunc(attacks, func(r record) bool { return r.Instrument != "" && r.Instrument != r.AttackType })
}

// overFolds summarises the figures of several folds.
func overFolds(folds []Fold) (list []Spread, err error) {
	if len(folds) < 2 {
		return nil, nil
	}
	found := map[Spread][]float64{} // by the row's rule and figure
	var order []Spread
	add := func(rule Rule, figure string, value *float64) {
		key := Spread{Rule: rule, Figure: figure}
		if value == nil {
			return
		}
		if found[key] == nil {
			order = append(order, key)
		}
		found[key] = append(found[key], *value)
	}
	for _, f := range folds {
		add("", "auc", f.AUC.value())
		add("", "eer", f.EER.value())
		for _, a := range f.At {
			for _, figure := range slices.Sorted(maps.Keys(figures)) {
				add(a.Rule, figure, figures[figure](a))
			}
		}
	}
	for _, key := range order {
		s, err := metrics.SpreadOf(found[key])
		if err != nil {
			return nil, err
		}
		list = append(list, Spread{key.Rule, key.Figure, s.N, s.Mean, s.Std0, s.Std1})
	}
	return list, nil
}

// figures are what is averaged over folds, by the name in report.json.
var figures = map[string]func(At) *float64{
	"hter":         func(a At) *float64 { return a.HTER.value() },
	"acer":         func(a At) *float64 { return a.ACER.value() },
	"acer_pooled":  func(a At) *float64 { return a.ACERPooled },
	"apcer":        func(a At) *float64 { return a.APCER.value() },
	"apcer_pooled": func(a At) *float64 { return a.APCERPooled.value() },
	"bpcer":        func(a At) *float64 { return a.BPCER.value() },
}

func (e *Estimate) value() *float64 {
	if e == nil {
		return nil
	}
	return &e.Value
}

func (r *Rate) value() *float64 {
	if r == nil {
		return nil
	}
	return &r.Value
}

func (n *Named) value() *float64 {
	if n == nil {
		return nil
	}
	return &n.Value
}

// at returns the rates at a rule's threshold.
func (f Fold) at(rule Rule) At {
	for _, a := range f.At {
		if a.Rule == rule {
			return a
		}
	}
	return At{Rule: rule}
}
