package metrics_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// FuzzRates reads the data as scores with their classes: no scores panic, every rate is in [0,1], exchanging the classes turns the
// AUC around, and no threshold is nearer to balance than the EER point.
func FuzzRates(f *testing.F) {
	f.Add(false, []byte{200, 180, 7, 120, 33, 90, 201, 255})
	f.Add(false, []byte{4, 5, 4, 5, 4})
	f.Add(false, []byte{1})
	f.Add(true, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(.7)), math.Float64bits(.2)))
	f.Add(true, binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN())))
	f.Add(true, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 0x7feffffffffffffe), 0x7fefffffffffffff))
	f.Fuzz(func(t *testing.T, wide bool, data []byte) {
		bonaFide, attacks := fuzzScores(wide, data)
		s, err := metrics.New(bonaFide, attacks)
		if err != nil {
			requireUndefined(t, err, bonaFide, attacks)
			return
		}
		requireRates(t, s)
		swapped := newSet(t, attacks, bonaFide)
		require.InDelta(t, 1, s.AUC()+swapped.AUC(), 1e-12)
		requireAUC(t, s.AUC(), bonaFide, attacks)
		requireEERPoint(t, s.EERPoint(), bonaFide, attacks)
	})
}

// fuzzScores takes the class from the lowest bit. Narrow scores, a byte each, tie often; wide ones have any bits, NaN and infinity
// among them.
func fuzzScores(wide bool, data []byte) (bonaFide, attacks []float64) {
	width := 1
	if wide {
		width = 8
	}
	for ; len(data) >= width && len(bonaFide)+len(attacks) < 200; data = data[width:] {
		score := float64(data[0]>>1) / 127
		if wide {
			score = math.Float64frombits(binary.LittleEndian.Uint64(data))
		}
		if data[0]&1 == 1 {
			bonaFide = append(bonaFide, score)
		} else {
			attacks = append(attacks, score)
		}
	}
	return bonaFide, attacks
}

// requireUndefined holds an error to be the right one.
func requireUndefined(t *testing.T, err error, bonaFide, attacks []float64) {
	t.Helper()
	if len(bonaFide) == 0 || len(attacks) == 0 {
		if !hasNonFinite(bonaFide) {
			require.ErrorIs(t, err, metrics.ErrSingleClass)
		}
		return
	}
	require.ErrorIs(t, err, metrics.ErrNotFinite)
	require.True(t, hasNonFinite(bonaFide) || hasNonFinite(attacks))
}

func hasNonFinite(scores []float64) bool {
	for _, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return true
		}
	}
	return false
}

func requireRates(t *testing.T, s *metrics.Set) {
	t.Helper()
	points := append(s.Curve(), s.EERPoint(), s.Grid(), s.SSAN(), s.SAFAS(), s.At(.5))
	if iadg, err := s.IADG(); err != nil {
		require.ErrorIs(t, err, metrics.ErrNotFinite)
	} else {
		points = append(points, iadg)
	}
	for _, limit := range []float64{0, .001, .01, 1} {
		p, err := s.TPRAtFPR(limit)
		require.NoError(t, err)
		require.LessOrEqual(t, p.FAR, limit)
		points = append(points, p)
	}
	_, rate := s.EqualError()
	shares := []float64{s.AUC(), rate}
	for _, p := range points {
		shares = append(shares, p.FAR, p.FRR, p.TPR(), p.HTER())
	}
	for _, p := range shares {
		require.True(t, p >= 0 && p <= 1, "%v", p)
	}
	for _, p := range s.DET() {
		require.False(t, hasNonFinite([]float64{p.X, p.Y}), "%v", p)
	}
}

func requireAUC(t *testing.T, auc float64, bonaFide, attacks []float64) {
	t.Helper()
	wins := 0.0
	for _, b := range bonaFide {
		for _, a := range attacks {
			if b > a {
				wins++
			} else if b == a {
				wins += .5
			}
		}
	}
	require.InDelta(t, wins/float64(len(bonaFide)*len(attacks)), auc, 1e-12)
}

// requireEERPoint compares with every score as threshold, one by one.
func requireEERPoint(t *testing.T, p metrics.Point, bonaFide, attacks []float64) {
	t.Helper()
	far, frr := ratesByHand(bonaFide, attacks, p.Threshold)
	require.Equal(t, []float64{far, frr}, []float64{p.FAR, p.FRR})
	for _, threshold := range append(append([]float64{math.Inf(1)}, bonaFide...), attacks...) {
		far, frr := ratesByHand(bonaFide, attacks, threshold)
		require.GreaterOrEqual(t, math.Abs(far-frr)+1e-12, math.Abs(p.FAR-p.FRR), "threshold %v", threshold)
	}
}

func ratesByHand(bonaFide, attacks []float64, threshold float64) (far, frr float64) {
	for _, a := range attacks {
		if a >= threshold {
			far++
		}
	}
	for _, b := range bonaFide {
		if b < threshold {
			frr++
		}
	}
	return far / float64(len(attacks)), frr / float64(len(bonaFide))
}
