package report

import (
	"math"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// bins is how many parts of [0,1] the histogram has.
const bins = 50

// curves computes the error rates at every threshold; nil where a class is missing.
func curves(measured []record) (list []Curve) {
	bonaFide, attacks := split(measured)
	add := func(name string, of []record) {
		set, err := metrics.New(scores(bonaFide), scores(of))
		if err == nil {
			list = append(list, Curve{name, set.Attacks(), set.BonaFide(), set.AUC(), thin(set.DET())})
		}
	}
	add("all", attacks)
	if species := speciesOf(attacks); len(species) > 1 {
		for _, name := range species {
			add(name, filter(attacks, func(r record) bool { return r.AttackType == name }))
		}
	}
	return list
}

// enough is how many points a curve may have without being thinned, and near how close in normal deviates points are
// that look like one.
const (
	enough = 200
	near   = 0.02
)

// thin leaves out points that a plot cannot show apart, but never the corner before a step.
func thin(points []metrics.DETPoint) (list []CurvePoint) {
	last := -1
	keep := func(i int) {
		p := points[i]
		list, last = append(list, CurvePoint{finite(p.Threshold), p.FAR, p.FRR}), i
	}
	for i, p := range points {
		far := last < 0 || i == len(points)-1 || math.Hypot(p.X-points[last].X, p.Y-points[last].Y) > near
		if !far && len(points) > enough {
			continue
		}
		if last >= 0 && last < i-1 {
			keep(i - 1)
		}
		keep(i)
	}
	return list
}

func histogram(measured []record, folds []Fold) *Histogram {
	if len(measured) == 0 {
		return nil
	}
	bonaFide, attacks := split(measured)
	h := &Histogram{Bins: bins, Lines: lines(folds)}
	if len(bonaFide) > 0 {
		h.Rows = append(h.Rows, HistogramRow{"bona fide", true, binned(bonaFide)})
	}
	for _, name := range speciesOf(attacks) {
		h.Rows = append(h.Rows, HistogramRow{name, false, binned(filter(attacks, func(r record) bool { return r.AttackType == name }))})
	}
	return h
}

func binned(records []record) []int {
	counts := make([]int, bins)
	for _, r := range records {
		counts[min(int(r.Score*bins), bins-1)]++
	}
	return counts
}

// lines are the thresholds to draw: the model's once, the others of each fold.
func lines(folds []Fold) []Line {
	list := []Line{}
	for i, f := range folds {
		for _, a := range f.At {
			if a.Threshold == nil || a.Rule == RuleModel && i > 0 {
				continue
			}
			l := Line{Rule: a.Rule, Threshold: *a.Threshold}
			if len(folds) > 1 && a.Rule != RuleModel {
				l.Fold = f.Name
			}
			list = append(list, l)
		}
	}
	return list
}
