package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// golden is testdata/golden.json. training/tests/golden_metrics.py writes it, and a test of the trainer keeps it current.
type golden struct {
	Cases       []goldenCase
	Small       []goldenSmall
	Spreads     []goldenSpread
	Proportions []goldenProportion
	Probits     [][2]float64
}

type goldenCase struct {
	Name     string
	BonaFide []float64 `json:"bona_fide"`
	Attacks  []float64
	Trainer  trainerRates
	Sklearn  sklearnRates
}

// goldenSmall is a few scores, with the thresholds that the trainer, scikit-learn and SciPy choose.
type goldenSmall struct {
	BonaFide  []float64 `json:"bona_fide"`
	Attacks   []float64
	EERPoint  triple `json:"eer_point"`
	Published map[string]triple
}

// triple is threshold, FAR and FRR.
type triple [3]float64

func tripleOf(p metrics.Point) triple { return triple{p.Threshold, p.FAR, p.FRR} }

// trainerRates are what the trainer's metrics.py and published.py give.
type trainerRates struct {
	AUC        float64
	At         []triple
	EERPoint   triple     `json:"eer_point"`
	EqualError [2]float64 `json:"equal_error"`
	Published  map[string]triple
	ISO        []trainerISO
}

type trainerISO struct {
	Threshold, BPCER, APCER, ACER float64

	APCERInstrument float64            `json:"apcer_instrument"`
	ACERInstrument  float64            `json:"acer_instrument"`
	APCERPooled     float64            `json:"apcer_pooled"`
	ACERPooled      float64            `json:"acer_pooled"`
	Species         map[string]float64 `json:"apcer_pai"`
	Instruments     map[string]float64 `json:"apcer_instruments"`
}

// sklearnRates are what scikit-learn and SciPy give.
type sklearnRates struct {
	AUC               float64
	SSAN, SAFAS, IADG triple
	TPRAtFPR          [][2]float64 `json:"tpr_at_fpr"`
	// Points counts those of the whole ROC curve.
	Points int
	ROC    *struct{ FPR, TPR, Thresholds []float64 }
}

type goldenSpread struct {
	Values []float64
	metrics.Spread
}

type goldenProportion struct {
	metrics.Proportion
	metrics.Interval
	Upper float64
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &g))
	require.Greater(t, len(g.Cases), 10)
	return g
}

func TestTrainersRatesToTheBit(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			s := newSet(t, c.BonaFide, c.Attacks)
			require.Equal(t, c.Trainer.AUC, s.AUC())
			require.Equal(t, c.Trainer.EERPoint, tripleOf(s.EERPoint()))
			var equalError [2]float64
			equalError[0], equalError[1] = s.EqualError()
			require.Equal(t, c.Trainer.EqualError, equalError)
			require.NotEmpty(t, c.Trainer.At)
			for _, want := range c.Trainer.At {
				require.Equal(t, want, tripleOf(s.At(want[0])))
			}
			require.Equal(t, c.Trainer.Published, publishedPoints(t, s))
		})
	}
}

func publishedPoints(t *testing.T, s *metrics.Set) map[string]triple {
	t.Helper()
	iadg, err := s.IADG()
	require.NoError(t, err)
	return map[string]triple{
		"ssdg": tripleOf(s.Grid()), "ssan": tripleOf(s.SSAN()), "safas": tripleOf(s.SAFAS()), "iadg": tripleOf(iadg),
	}
}

func TestTrainersISORatesToTheBit(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		require.NotEmpty(t, c.Trainer.ISO)
		for _, want := range c.Trainer.ISO {
			got, err := metrics.AtThreshold(c.BonaFide, goldenAttacks(c.Attacks), want.Threshold)
			require.NoError(t, err)
			require.Equal(t, want, trainerISO{
				Threshold: got.Threshold, BPCER: got.BPCER(), APCER: got.APCER(), ACER: got.ACER(),
				APCERInstrument: got.APCERInstrument(), ACERInstrument: got.ACERInstrument(),
				APCERPooled: got.APCERPooled(), ACERPooled: got.ACERPooled(),
				Species: rates(got.Species), Instruments: rates(got.Instruments),
			}, c.Name)
		}
	}
}

// goldenAttacks gives species and instruments by turns, as the golden file's writer does.
func goldenAttacks(scores []float64) []metrics.Attack {
	attacks := make([]metrics.Attack, len(scores))
	for i, score := range scores {
		species := []string{"print", "cut", "replay"}[i%3]
		attacks[i] = metrics.Attack{Score: score, Species: species, Instrument: fmt.Sprint(species, i%2)}
	}
	return attacks
}

func rates(of map[string]metrics.Proportion) map[string]float64 {
	out := map[string]float64{}
	for name, p := range of {
		out[name] = p.Rate()
	}
	return out
}

// The rules of published code rest on scikit-learn's roc_curve and SciPy's brentq: the points are equal to the bit.
func TestPublishedPointsOfScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			s := newSet(t, c.BonaFide, c.Attacks)
			got := publishedPoints(t, s)
			require.Equal(t, c.Sklearn.SSAN, got["ssan"])
			require.Equal(t, c.Sklearn.SAFAS, got["safas"])
			require.Equal(t, c.Sklearn.IADG, got["iadg"])
			require.InDelta(t, c.Sklearn.AUC, s.AUC(), 1e-11, "rounded to 12 digits")
			for _, want := range c.Sklearn.TPRAtFPR {
				p, err := s.TPRAtFPR(want[0])
				require.NoError(t, err)
				require.InDelta(t, want[1], p.TPR(), 1e-15, "1 - FRR is rounded once more than hits / bona fide")
				require.LessOrEqual(t, p.FAR, want[0])
			}
			require.Equal(t, c.Sklearn.Points, len(s.Curve()))
		})
	}
}

// A few scores tie often in |FAR - FRR|, and lead Brent's method through all its kinds of steps.
func TestThresholdsOfFewScores(t *testing.T) {
	cases := readGolden(t).Small
	require.Greater(t, len(cases), 200)
	for _, c := range cases {
		s := newSet(t, c.BonaFide, c.Attacks)
		require.Equal(t, c.EERPoint, tripleOf(s.EERPoint()), "%+v", c)
		require.Equal(t, c.Published, publishedPoints(t, s), "%+v", c)
	}
}

// The ROC curve of scikit-learn falls from the highest threshold; ours rises, and begins at +∞ instead of the largest score + 1.
func TestCurveOfScikitLearn(t *testing.T) {
	compared := 0
	for _, c := range readGolden(t).Cases {
		if c.Sklearn.ROC == nil {
			continue
		}
		compared++
		curve := newSet(t, c.BonaFide, c.Attacks).Curve()
		for i, p := range curve {
			j := len(curve) - 1 - i
			require.Equal(t, c.Sklearn.ROC.FPR[j], p.FAR, c.Name)
			require.InDelta(t, c.Sklearn.ROC.TPR[j], p.TPR(), 1e-15, c.Name)
			if j > 0 {
				require.Equal(t, c.Sklearn.ROC.Thresholds[j], p.Threshold, c.Name)
			}
		}
	}
	require.Greater(t, compared, 10)
}

// NumPy sums in a pairwise order; Spread does the same, so that means and deviations have equal bits too.
func TestSpreadToTheBit(t *testing.T) {
	for _, want := range readGolden(t).Spreads {
		got, err := metrics.SpreadOf(want.Values)
		require.NoError(t, err)
		require.Equal(t, want.Spread, got)
	}
}

func TestClopperPearsonOfSciPy(t *testing.T) {
	for _, want := range readGolden(t).Proportions {
		name := fmt.Sprintf("%d of %d at %v", want.Count, want.Of, want.Level)
		got, err := want.ClopperPearson(want.Level)
		require.NoError(t, err)
		require.InDelta(t, want.Low, got.Low, 1e-11, name)
		require.InDelta(t, want.High, got.High, 1e-11, name)
		upper, err := want.UpperBound(want.Level)
		require.NoError(t, err)
		require.InDelta(t, want.Interval.Level, got.Level, 0)
		require.InDelta(t, want.Upper, upper, 1e-11, name)
	}
}

func TestProbitOfSciPy(t *testing.T) {
	for _, want := range readGolden(t).Probits {
		require.InDelta(t, want[1], metrics.Probit(want[0], 1e9), 1e-11)
	}
}
