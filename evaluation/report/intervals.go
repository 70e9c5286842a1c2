package report

import (
	"errors"
	"fmt"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// resamples is how many bootstrap samples an interval rests on, and seed makes them repeatable.
const (
	resamples = 1000
	seed      = 1
)

// sampler estimates figures of a set of records, with bootstrap intervals over whole clusters.
type sampler struct {
	bonaFide, attacks []record
	scores            []float64 // of the bona fide and then the attacks
	live              []bool
	clusters          *metrics.Clusters
	wide              bool // there are enough clusters for an interval
	set               *metrics.Set
}

// newSampler fails with metrics.ErrSingleClass where a class is missing.
func newSampler(records []record, cluster string) (*sampler, error) {
	s := &sampler{}
	s.bonaFide, s.attacks = split(records)
	set, err := metrics.New(scores(s.bonaFide), scores(s.attacks))
	if err != nil {
		return nil, err
	}
	s.set = set
	names := []string{}
	for _, r := range append(s.bonaFide, s.attacks...) {
		names, s.scores, s.live = append(names, column(r, cluster)), append(s.scores, r.Score), append(s.live, r.BonaFide())
	}
	s.wide = len(values(records, func(r record) string { return column(r, cluster) }, nil)) > 1
	s.clusters, err = metrics.NewClusters(names, s.live)
	return s, err
}

// scored estimates a figure of the scores.
func (s *sampler) scored(compute func(*metrics.Set) float64) (*Estimate, error) {
	statistic, err := metrics.OfScores(s.scores, s.live, compute)
	if err != nil {
		return nil, err
	}
	return s.estimate(compute(s.set), statistic)
}

// iso estimates a figure of the ISO rates at a threshold.
func (s *sampler) iso(rates metrics.ISO, compute func(metrics.ISO) float64) (*Estimate, error) {
	statistic, err := metrics.OfISO(scores(s.bonaFide), isoAttacks(s.attacks), rates.Threshold, compute)
	if err != nil {
		return nil, err
	}
	return s.estimate(compute(rates), statistic)
}

// estimate leaves the interval out where clusters are too few for resamples that hold both classes, and where all
// resamples gave the same figure, as without any error: an interval without width would seem to be certain.
func (s *sampler) estimate(value float64, statistic metrics.Statistic) (*Estimate, error) {
	e := &Estimate{Value: value}
	if !s.wide {
		return e, nil
	}
	i, err := metrics.Bootstrap{Resamples: resamples, Level: Level, Seed: seed}.Interval(s.clusters, statistic)
	if errors.Is(err, metrics.ErrRedraws) {
		return e, nil
	}
	if err != nil {
		return nil, fmt.Errorf("interval: %w", err)
	}
	if i.Low < i.High {
		e.Low, e.High = &i.Low, &i.High
	}
	return e, nil
}

func isoAttacks(attacks []record) []metrics.Attack {
	list := make([]metrics.Attack, len(attacks))
	for i, r := range attacks {
		list[i] = metrics.Attack{Score: r.Score, Species: r.AttackType, Instrument: r.Instrument}
	}
	return list
}
