package evaluation

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// splitPAD reads a file of scores by the rules of bob.pad.base 6: columns by name; is_bonafide, whatever its case, decides; the
// species is the text of attack_type.
func splitPAD(t *testing.T, path string) (bonaFide []float64, attacks map[string][]float64, all []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	attacks = map[string][]float64{}
	for _, fields := range rows[1:] {
		row := map[string]string{}
		for i, name := range rows[0] {
			require.NotContains(t, row, name, "two columns of one name")
			row[name] = fields[i]
		}
		score, err := strconv.ParseFloat(row["score"], 64)
		require.NoError(t, err)
		if strings.EqualFold(row["is_bonafide"], "true") {
			bonaFide = append(bonaFide, score)
		} else {
			attacks[row["attack_type"]] = append(attacks[row["attack_type"]], score)
		}
		all = append(all, row)
	}
	return bonaFide, attacks, all
}

func TestWriteScores(t *testing.T) {
	list := []Result{
		{Presentation: Presentation{Name: "a", Subject: "x", Meta: map[string]string{"light": "day, outside", "score": "9"}}, Acquired: true, Score: .75, Verdict: liveproof.OutcomeLive},
		{Presentation: Presentation{Name: "b", Subject: "y", AttackType: "print", Instrument: "p1"}, Error: "broken"},
		{Presentation: Presentation{Name: "c", Subject: "y", AttackType: "replay"}, Acquired: true, Score: .1, Reasons: []liveproof.Reason{"blurred", "no_face"}},
	}
	plan := Plan{Folds: []Fold{{Name: "k.1", Dev: []string{"c"}, Eval: []string{"a", "b", "c"}}, {Name: "k.2", Eval: []string{"b"}}}}
	for _, r := range list {
		plan.Presentations = append(plan.Presentations, r.Presentation)
	}
	dir := t.TempDir()
	names, err := WriteScores(dir, plan, list)
	require.NoError(t, err)
	require.Equal(t, []string{"scores-k.1-dev.csv", "scores-k.1-eval.csv", "scores-k.2-eval.csv"}, names)
	bonaFide, attacks, rows := splitPAD(t, filepath.Join(dir, names[1]))
	require.Equal(t, []float64{.75}, bonaFide)
	require.Equal(t, map[string][]float64{"print": {0}, "replay": {.1}}, attacks, "what was not acquired counts, with the score 0")
	require.Equal(t, map[string]string{
		"claimed_id": "x", "test_label": "a", "is_bonafide": "True", "attack_type": "", "score": "0.75", "instrument": "", "acquired": "True",
		"verdict": "live", "smoothed": "0", "reasons": "", "decided_at": "0", "frames_sampled": "0", "frames_scored": "0", "error": "",
		"light": "day, outside", "meta_score": "9",
	}, rows[0])
	require.Equal(t, [2]string{"broken", "False"}, [2]string{rows[1]["error"], rows[1]["acquired"]})
	require.Equal(t, "blurred no_face", rows[2]["reasons"])

	plan.Folds = []Fold{{Dev: []string{"c"}, Eval: []string{"a"}}}
	names, err = WriteScores(dir, plan, list)
	require.NoError(t, err)
	require.Equal(t, []string{"scores-dev.csv", "scores-eval.csv"}, names)
	left, err := filepath.Glob(filepath.Join(dir, "scores-*"))
	require.NoError(t, err)
	require.Len(t, left, 2, "those of the other plan are gone")
	plan.Folds[0].Eval = []string{"unknown"}
	_, err = WriteScores(dir, plan, list)
	require.ErrorContains(t, err, "unknown has no result")
	_, err = WriteScores(filepath.Join(dir, names[0]), plan, list)
	require.ErrorIs(t, err, ErrOutput)
}

func TestMeanRho(t *testing.T) {
	mean, scored := MeanRho([]liveproof.Sample{{Scored: true, Rho: .2, Weight: 1}, {Rho: 1}, {Scored: true, Rho: .8, Weight: .25}})
	require.True(t, scored)
	require.InDelta(t, .5, mean, 1e-12, "each scored frame has the same weight")
	_, scored = MeanRho([]liveproof.Sample{{Rho: 1}})
	require.False(t, scored)
}
