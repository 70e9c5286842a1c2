package metrics_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

var usual = metrics.Bootstrap{Resamples: 1000, Level: .95, Seed: 1}

// items are scored presentations of subjects.
type items struct {
	scores   []float64
	bonaFide []bool
	subjects []string
}

// drawItems gives each subject as many presentations, the first bona fide, scores with two decimals.
func drawItems(subjects, each int) items { return drawScores(subjects, each, 100) }

// drawScores is drawItems with so many different scores between 0 and 1.
func drawScores(subjects, each int, steps float64) (it items) {
	random := rand.New(rand.NewPCG(7, 7))
	for s := range subjects {
		for i := range each {
			mean := .4
			if i == 0 {
				mean = .7
			}
			it.add(math.Round(steps*(mean+.2*random.NormFloat64()))/steps, i == 0, fmt.Sprint(s))
		}
	}
	return it
}

func (it *items) add(score float64, bonaFide bool, subject string) {
	it.scores, it.bonaFide, it.subjects = append(it.scores, score), append(it.bonaFide, bonaFide), append(it.subjects, subject)
}

// interval is of the scores, resampled by subject.
func (it *items) interval(t testing.TB, b metrics.Bootstrap, compute func(*metrics.Set) float64) metrics.Interval {
	t.Helper()
	statistic, err := metrics.OfScores(it.scores, it.bonaFide, compute)
	require.NoError(t, err)
	i, err := b.Interval(it.clusters(t), statistic)
	require.NoError(t, err)
	return i
}

func (it *items) clusters(t testing.TB) *metrics.Clusters {
	t.Helper()
	clusters, err := metrics.NewClusters(it.subjects, it.bonaFide)
	require.NoError(t, err)
	return clusters
}

// split is the two classes, each item so many times.
func (it *items) split(times []int) (bonaFide, attacks []float64) {
	for i, n := range times {
		for range n {
			if it.bonaFide[i] {
				bonaFide = append(bonaFide, it.scores[i])
			} else {
				attacks = append(attacks, it.scores[i])
			}
		}
	}
	return bonaFide, attacks
}

func auc(s *metrics.Set) float64  { return s.AUC() }
func hter(s *metrics.Set) float64 { return s.At(.55).HTER() }

func TestEqualSeedsGiveEqualIntervals(t *testing.T) {
	it := drawItems(60, 4)
	first := it.interval(t, usual, auc)
	require.Equal(t, first, it.interval(t, usual, auc))
	require.NotEqual(t, first, it.interval(t, metrics.Bootstrap{Resamples: 1000, Level: .95, Seed: 2}, auc))
	bonaFide, attacks := it.split(once(it))
	s := newSet(t, bonaFide, attacks)
	require.True(t, first.Low < s.AUC() && s.AUC() < first.High, "%v around %v", first, s.AUC())
	narrower := it.interval(t, metrics.Bootstrap{Resamples: 1000, Level: .5, Seed: 1}, auc)
	require.True(t, first.Low < narrower.Low && narrower.High < first.High)
}

// once is every item one time.
func once(it items) []int {
	times := make([]int, len(it.scores))
	for i := range times {
		times[i] = 1
	}
	return times
}

// Of independent items the share that counts is binomial: its interval is about p ± 1.96 √(p(1-p)/n).
func TestIntervalOfAShareIsTheBinomials(t *testing.T) {
	const n, p = 2000, .1
	asked, counts, names := make([]bool, n), make([]bool, n), make([]string, n)
	for i := range n {
		asked[i], counts[i], names[i] = true, i < n*p, fmt.Sprint(i)
	}
	clusters, err := metrics.NewClusters(names, asked)
	require.NoError(t, err)
	statistic, err := metrics.OfShare(asked, counts)
	require.NoError(t, err)
	got, err := metrics.Bootstrap{Resamples: 4000, Level: .95, Seed: 3}.Interval(clusters, statistic)
	require.NoError(t, err)
	half := 1.96 * math.Sqrt(p*(1-p)/n)
	require.InDelta(t, p-half, got.Low, .002)
	require.InDelta(t, p+half, got.High, .002)
}

// Ten equal videos of each person say no more than one: the interval must be the same, not √10 narrower.
func TestEqualVideosOfAPersonNarrowNothing(t *testing.T) {
	one, ten := drawItems(50, 2), items{}
	for i := range one.scores {
		for range 10 {
			ten.add(one.scores[i], one.bonaFide[i], one.subjects[i])
		}
	}
	require.Equal(t, one.interval(t, usual, auc), ten.interval(t, usual, auc))
	require.Equal(t, one.interval(t, usual, hter), ten.interval(t, usual, hter))
}

// The counts by distinct score, which make a resample cheap, give what the resampled scores themselves give.
func TestResampleIsTheSetOfItsScores(t *testing.T) {
	it := drawItems(30, 3)
	for name, compute := range map[string]func(*metrics.Set) float64{
		"AUC": auc, "HTER": hter,
		"EER threshold":   func(s *metrics.Set) float64 { return s.EERPoint().Threshold },
		"equal error":     func(s *metrics.Set) float64 { threshold, _ := s.EqualError(); return threshold },
		"SSAN threshold":  func(s *metrics.Set) float64 { return s.SSAN().Threshold },
		"distinct scores": func(s *metrics.Set) float64 { return float64(len(s.Curve())) },
	} {
		fast, err := metrics.OfScores(it.scores, it.bonaFide, compute)
		require.NoError(t, err)
		_, err = metrics.Bootstrap{Resamples: 200, Level: .95}.Interval(it.clusters(t), func(times []int) (float64, error) {
			bonaFide, attacks := it.split(times)
			got, err := fast(times)
			require.NoError(t, err)
			require.Equal(t, compute(newSet(t, bonaFide, attacks)), got, name)
			return got, nil
		})
		require.NoError(t, err)
	}
}

func TestISORatesOfAResample(t *testing.T) {
	bonaFide := []float64{.9, .2}
	attacks := []metrics.Attack{{.8, "print", "p1"}, {.1, "print", "p2"}, {.1, "replay", "r1"}}
	var seen metrics.ISO
	statistic, err := metrics.OfISO(bonaFide, attacks, .5, func(r metrics.ISO) float64 { seen = r; return r.ACER() })
	require.NoError(t, err)
	acer, err := statistic([]int{3, 1, 1, 3, 0})
	require.NoError(t, err)
	require.Equal(t, .25, acer)
	require.Equal(t, map[string]metrics.Proportion{"print": {Count: 1, Of: 4}}, seen.Species, "no replay was drawn")
	require.Equal(t, metrics.Proportion{Count: 1, Of: 4}, seen.BonaFide)
	_, err = statistic([]int{0, 0, 1, 1, 1})
	require.ErrorIs(t, err, metrics.ErrSingleClass)
	_, err = metrics.OfISO(nil, attacks, .5, metrics.ISO.ACER)
	require.ErrorIs(t, err, metrics.ErrSingleClass)
}

func TestWholeSubjectsAreDrawn(t *testing.T) {
	it := drawItems(20, 3)
	eachDraw(t, it, func(times []int) {
		total := 0
		for i, n := range times {
			require.Equal(t, times[i/3*3], n, "all items of a subject alike")
			total += n
		}
		require.Equal(t, len(times), total)
	})
}

func TestClassesAreDrawnApartWhereNoSubjectHasBoth(t *testing.T) {
	it := items{}
	for i := range 30 {
		it.add(.5, i < 3, fmt.Sprint(i)) // three bona fide: drawn together with the rest, one resample in 23 would have none
	}
	eachDraw(t, it, func(times []int) {
		bonaFide, attacks := it.split(times)
		require.Len(t, bonaFide, 3)
		require.Len(t, attacks, 27)
	})
}

func TestSubjectsWithBothClassesAreDrawnTogether(t *testing.T) {
	it := items{}
	for i := range 20 {
		it.add(.5, i < 10, fmt.Sprint(i)) // whichever class comes first
		it.add(.5, i >= 10, fmt.Sprint(i))
	}
	seen := map[int]bool{}
	eachDraw(t, it, func(times []int) {
		first := 0
		for _, n := range times[:20] {
			first += n
		}
		seen[first/2] = true
	})
	require.Greater(t, len(seen), 5, "how many of the first ten are drawn must differ")
}

func eachDraw(t *testing.T, it items, check func(times []int)) {
	t.Helper()
	differ, last := false, ""
	_, err := usual.Interval(it.clusters(t), func(times []int) (float64, error) {
		check(times)
		now := fmt.Sprint(times)
		differ, last = differ || last != "" && now != last, now
		return 0, nil
	})
	require.NoError(t, err)
	require.True(t, differ)
}

func TestResampleWithoutAClassIsDrawnAgain(t *testing.T) {
	it := items{} // one subject of five has the only attack: a third of the resamples lack it
	for i := range 5 {
		it.add(.8, true, fmt.Sprint(i))
	}
	it.add(.2, false, "0")
	fast, err := metrics.OfScores(it.scores, it.bonaFide, auc)
	require.NoError(t, err)
	calls := 0
	got, err := usual.Interval(it.clusters(t), func(times []int) (float64, error) { calls++; return fast(times) })
	require.NoError(t, err)
	require.Equal(t, metrics.Interval{Low: 1, High: 1, Level: .95}, got)
	require.InDelta(t, 1000/(1-math.Pow(.8, 5)), calls, 150)
}

func TestBootstrapThatCannotBeIsAnError(t *testing.T) {
	it := drawItems(5, 2)
	zero := func([]int) (float64, error) { return 0, nil }
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		bootstrap metrics.Bootstrap
		statistic metrics.Statistic
		want      error
	}{
		"no resamples":     {metrics.Bootstrap{Level: .95}, zero, metrics.ErrOutOfRange},
		"level of 1":       {metrics.Bootstrap{Resamples: 9, Level: 1}, zero, metrics.ErrOutOfRange},
		"never both":       {usual, func([]int) (float64, error) { return 0, metrics.ErrSingleClass }, metrics.ErrRedraws},
		"failed statistic": {usual, func([]int) (float64, error) { return 0, broken }, broken},
		"NaN":              {usual, func([]int) (float64, error) { return math.NaN(), nil }, metrics.ErrNotFinite},
	} {
		_, err := c.bootstrap.Interval(it.clusters(t), c.statistic)
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestItemsThatDoNotMatchAreErrors(t *testing.T) {
	_, err := metrics.NewClusters(nil, nil)
	require.ErrorIs(t, err, metrics.ErrEmpty)
	_, err = metrics.NewClusters([]string{"a"}, nil)
	require.ErrorIs(t, err, metrics.ErrOutOfRange)
	_, err = metrics.OfScores([]float64{1}, nil, auc)
	require.ErrorIs(t, err, metrics.ErrOutOfRange)
	_, err = metrics.OfScores([]float64{math.NaN()}, []bool{true}, auc)
	require.ErrorIs(t, err, metrics.ErrNotFinite)
	_, err = metrics.OfShare([]bool{true}, nil)
	require.ErrorIs(t, err, metrics.ErrOutOfRange)

	it := drawItems(3, 2) // a statistic of other items than the clusters'
	share, err := metrics.OfShare([]bool{true}, []bool{true})
	require.NoError(t, err)
	_, err = usual.Interval(it.clusters(t), share)
	require.ErrorIs(t, err, metrics.ErrOutOfRange)
}
