package report

import (
	"errors"
	"slices"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// attackRows describes each species or instrument; rules are the thresholds that hold for all records.
func attackRows(measured []record, by string, rules []threshold, about About) (rows []AttackRow, err error) {
	bonaFide, attacks := split(measured)
	for _, name := range attackValues(attacks, by) {
		of := filter(attacks, func(r record) bool { return column(r, by) == name })
		c := count(of)
		row := AttackRow{Name: name, Species: of[0].AttackType, Attacks: c.Attacks, Subjects: c.Subjects, NotAcquired: c.NotAcquired, APCER: map[Rule]Rate{}}
		if row.AUC, err = areaUnder(slices.Concat(bonaFide, of), about); err != nil {
			return nil, err
		}
		for _, t := range rules {
			row.APCER[t.rule] = rate(acceptedAt(of, t.value))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// areaUnder is nil where a class is missing.
func areaUnder(records []record, about About) (*Estimate, error) {
	s, err := newSampler(records, about.Cluster)
	if errors.Is(err, metrics.ErrSingleClass) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.scored((*metrics.Set).AUC)
}

// groupings parts the records by each column that was asked for.
func groupings(measured []record, rules []threshold, about About) (list []Grouping, err error) {
	for _, by := range about.By {
		g := Grouping{By: by, Groups: []Group{}}
		for _, value := range values(measured, func(r record) string { return column(r, by) }, nil) {
			one, err := group(filter(measured, func(r record) bool { return column(r, by) == value }), rules, about)
			if err != nil {
				return nil, err
			}
			one.Value = value
			g.Groups = append(g.Groups, one)
		}
		list = append(list, g)
	}
	return list, nil
}

func group(of []record, rules []threshold, about About) (g Group, err error) {
	g = Group{Counts: count(of), At: map[Rule]GroupRates{}}
	if g.AUC, err = areaUnder(of, about); err != nil {
		return g, err
	}
	bonaFide, attacks := split(of)
	if set, err := metrics.New(scores(bonaFide), scores(attacks)); err == nil {
		eer := set.EERPoint().HTER()
		g.EER = &eer
	}
	for _, t := range rules {
		rates := GroupRates{APCERPooled: rateOf(acceptedAt(attacks, t.value)), BPCER: rateOf(rejectedAt(bonaFide, t.value))}
		_, rates.APCER = acceptedBy(attacks, t.value, "attack_type")
		if rates.APCERPooled != nil && rates.BPCER != nil {
			hter := (rates.APCERPooled.Value + rates.BPCER.Value) / 2
			rates.HTER = &hter
		}
		g.At[t.rule] = rates
	}
	return g, nil
}
