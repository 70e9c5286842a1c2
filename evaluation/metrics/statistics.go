package metrics

import "fmt"

// OfScores makes a statistic of resampled scores, such as
//
//	func(s *Set) float64 { return s.At(threshold).HTER() }
//
// Item i has score scores[i] and class bonaFide[i]. The set that compute gets
// must not be kept. OfScores sorts once, so that a resample costs time in
// proportion to the number of scores. It fails with [ErrNotFinite], and with
// [ErrOutOfRange] for slices of different lengths.
func OfScores(scores []float64, bonaFide []bool, compute func(*Set) float64) (Statistic, error) {
	if err := sameItems(len(bonaFide), len(scores)); err != nil {
		return nil, err
	}
	if err := finite(scores); err != nil {
		return nil, fmt.Errorf("scores: %w", err)
	}
	r := newResampler(scores, bonaFide)
	return func(times []int) (float64, error) {
		if err := sameItems(len(times), len(scores)); err != nil {
			return 0, err
		}
		if err := r.resample(times); err != nil {
			return 0, err
		}
		return compute(&r.set), nil
	}, nil
}

// resampler counts how often each distinct score is drawn, by class.
type resampler struct {
	values []float64
	bin    []int // of each item: index in values
	class  []int // of each item: index in counts
	counts [2][]int
	set    Set
}

const attack, bona = 0, 1

func newResampler(scores []float64, bonaFide []bool) *resampler {
	r := &resampler{values: distinct(scores, nil), bin: ranks(scores), class: make([]int, len(scores))}
	for i, live := range bonaFide {
		if live {
			r.class[i] = bona
		}
	}
	r.counts = [2][]int{make([]int, len(r.values)), make([]int, len(r.values))}
	return r
}

// ranks returns for each score its index among the distinct scores.
func ranks(scores []float64) []int {
	s := Set{values: distinct(scores, nil)}
	out := make([]int, len(scores))
	for i, score := range scores {
		out[i] = s.index(score)
	}
	return out
}

func (r *resampler) resample(times []int) error {
	clear(r.counts[bona])
	clear(r.counts[attack])
	var total [2]int
	for i, n := range times {
		r.counts[r.class[i]][r.bin[i]] += n
		total[r.class[i]] += n
	}
	if total[bona] == 0 || total[attack] == 0 {
		return ErrSingleClass
	}
	r.set.fill(r.values, r.counts[bona], r.counts[attack])
	return nil
}

// OfISO makes a statistic of the ISO rates of resampled presentations at a
// threshold, such as [ISO.ACER]. Items are the bona fide, in their order, and then
// the attacks in theirs. A species or instrument that no attack of a resample has
// does not count in it. It fails as [New] does.
func OfISO(bonaFide []float64, attacks []Attack, threshold float64, compute func(ISO) float64) (Statistic, error) {
	if err := checkBoth(bonaFide, scoresOf(attacks)); err != nil {
		return nil, fmt.Errorf("ISO rates: %w", err)
	}
	return func(times []int) (float64, error) {
		if err := sameItems(len(times), len(bonaFide)+len(attacks)); err != nil {
			return 0, err
		}
		r := tally(bonaFide, attacks, threshold, func(i int) int { return times[i] })
		if r.BonaFide.Of == 0 || r.Pooled.Of == 0 {
			return 0, ErrSingleClass
		}
		return compute(r), nil
	}, nil
}

// OfShare makes a statistic of the share of items that count, of those that are
// asked about: BPCER by verdicts, for example, asks about the bona fide, and those
// count that are not accepted. A resample without an item that is asked about is
// drawn again. Slices of different lengths are [ErrOutOfRange].
func OfShare(asked, counts []bool) (Statistic, error) {
	if err := sameItems(len(counts), len(asked)); err != nil {
		return nil, err
	}
	return func(times []int) (float64, error) {
		if err := sameItems(len(times), len(asked)); err != nil {
			return 0, err
		}
		var p Proportion
		for i, n := range times {
			if asked[i] {
				p = p.plus(counts[i], n)
			}
		}
		if p.Of == 0 {
			return 0, ErrSingleClass
		}
		return p.Rate(), nil
	}, nil
}

// sameItems refuses lists that are not of the same items.
func sameItems(got, want int) error {
	if got != want {
		return fmt.Errorf("a list of %d items where another has %d: %w", got, want, ErrOutOfRange)
	}
	return nil
}
