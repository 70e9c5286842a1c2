package metrics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// 5000 scores, nearly all different, which is the slow case: 1250 subjects with one bona fide and three attacks.
func benchItems() items { return drawScores(1250, 4, 1e9) }

func BenchmarkAUCAndEER(b *testing.B) {
	it := benchItems()
	bonaFide, attacks := it.split(once(it))
	for b.Loop() {
		s := newSet(b, bonaFide, attacks)
		s.AUC()
		s.EERPoint()
	}
}

func BenchmarkBootstrap1000(b *testing.B) {
	it := benchItems()
	for name, compute := range map[string]func(*metrics.Set) float64{
		"AUC": auc, "HTER": hter, "EER": func(s *metrics.Set) float64 { return s.EERPoint().HTER() },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				it.interval(b, usual, compute)
			}
		})
	}
}

func BenchmarkBootstrap1000ISO(b *testing.B) {
	it := benchItems()
	bonaFide, scores := it.split(once(it))
	statistic, err := metrics.OfISO(bonaFide, goldenAttacks(scores), .5, metrics.ISO.ACER)
	require.NoError(b, err)
	clusters := it.clusters(b) // of other subjects than the items', which costs the same
	for b.Loop() {
		_, err := usual.Interval(clusters, statistic)
		require.NoError(b, err)
	}
}
