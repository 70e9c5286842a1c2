package evaluation_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation"
)

func readScores(name, text string) ([]evaluation.Score, error) {
	return evaluation.ReadScores(name, strings.NewReader(text))
}

// TestScoresAreReadAsTheyWereWritten: to the last bit, with the set that the file's name tells.
func TestScoresAreReadAsTheyWereWritten(t *testing.T) {
	third := 1. / 3
	plan := evaluation.Plan{
		Presentations: []evaluation.Presentation{
			{Name: "a.mp4", Subject: "anna"}, {Name: "b.mp4", Subject: "anna", AttackType: "print", Meta: map[string]string{"camera": "phone"}},
		},
		Folds: []evaluation.Fold{{Name: "oulu-3.1", Dev: []string{"a.mp4", "b.mp4"}, Eval: []string{"b.mp4"}}},
	}
	results := []evaluation.Result{
		{Presentation: plan.Presentations[0], Acquired: true, Score: third},
		{Presentation: plan.Presentations[1], Score: 0, Error: "no, \"video\""},
	}
	dir := t.TempDir()
	names, err := evaluation.WriteScores(dir, plan, results)
	require.NoError(t, err)
	require.Equal(t, []string{"scores-oulu-3.1-dev.csv", "scores-oulu-3.1-eval.csv"}, names)
	for name, want := range map[string][]evaluation.Score{
		names[0]: {
			{Name: "a.mp4", Subject: "anna", Value: third, Acquired: true, Set: evaluation.SetDev},
			{Name: "b.mp4", Subject: "anna", AttackType: "print", Set: evaluation.SetDev},
		},
		names[1]: {{Name: "b.mp4", Subject: "anna", AttackType: "print", Set: evaluation.SetEval}},
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		got, err := readScores(filepath.Join(dir, name), string(data))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestOtherTablesOfScores(t *testing.T) {
	got, err := readScores("mine.csv", "\ufeffscore,subject,attack_type,set,filename\r\n0.5,anna,,validation,a\r\n1,ben,mask,test,b\r\n")
	require.NoError(t, err)
	require.Equal(t, []evaluation.Score{
		{Name: "a", Subject: "anna", Value: 0.5, Acquired: true, Set: evaluation.SetDev},
		{Name: "b", Subject: "ben", AttackType: "mask", Value: 1, Acquired: true, Set: evaluation.SetEval},
	}, got)
	got, err = readScores("bob.csv", "claimed_id,is_bonafide,score\n1,True,0.5\n2,False,0.25\n")
	require.NoError(t, err)
	require.Equal(t, []string{"", "attack"}, []string{got[0].AttackType, got[1].AttackType})
	require.Empty(t, got[0].Set)
}

func TestScoresThatCannotBeRead(t *testing.T) {
	const head = "score,subject,attack_type,is_bonafide,set\n"
	for name, c := range map[string]struct{ text, complaint string }{
		"empty":            {"", "it is empty"},
		"no row":           {head, "no scores"},
		"no score":         {"subject,attack_type\na,\n", "there is no column score"},
		"no subject":       {"score,attack_type\n0.5,\n", "there is no column claimed_id or subject; the header has score, attack_type"},
		"no class":         {"score,subject\n0.5,a\n", "there is no column attack_type (empty for bona fide) or is_bonafide"},
		"not a number":     {head + "high,a,,,\n", `s.csv:2: score "high" is not a number in [0, 1]`},
		"NaN":              {head + "NaN,a,,,\n", `score "NaN"`},
		"infinite":         {head + "+Inf,a,,,\n", `score "+Inf"`},
		"logit":            {head + "-3.5,a,,,\n", `score "-3.5"`},
		"nobody":           {head + "0.5,,,,\n", "the subject is empty"},
		"another set":      {head + "0.5,a,,,probe\n", `set "probe" is none of train, dev, eval`},
		"two classes":      {head + "0.5,a,print,True,\n", `is_bonafide is True, and attack_type is "print"`},
		"class in words":   {head + "0.5,a,,perhaps,\n", `is_bonafide "perhaps"`},
		"too few fields":   {head + "0.5,a\n", "2 fields; the header has 5"},
		"semicolons":       {"score;subject\n", "separated by semicolons"},
		"two score":        {"score,Score,subject\n", "two columns are named"},
		"quote without an": {head + "\"0.5,a,,,\n", "s.csv:2"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readScores("s.csv", c.text)
			require.ErrorContains(t, err, c.complaint)
			require.Nil(t, got)
		})
	}
	_, err := readScores("s.csv", head+"x,a,,,\n0.5,,,,\n")
	require.ErrorContains(t, err, "s.csv:2: ")
	require.ErrorContains(t, err, "s.csv:3: ", "every row at once")
}

// FuzzReadScores: no table panics, and every score that is read is a number in [0,1] of somebody.
func FuzzReadScores(f *testing.F) {
	f.Add("claimed_id,test_label,is_bonafide,attack_type,score,acquired\na,v,True,,0.5,True\nb,w,False,print,1e-400,False\n")
	f.Add("score,subject,attack_type,set\n0x1p-2,a,,dev\n\"1\",\"a\nb\",x,eval\n")
	f.Add("\xef\xbb\xbfscore,subject,is_bonafide\n.5,\x00,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		scores, err := readScores("scores-dev.csv", text)
		if err != nil && scores != nil {
			t.Fatal("an error, and scores")
		}
		for _, s := range scores {
			if math.IsNaN(s.Value) || s.Value < 0 || s.Value > 1 || s.Subject == "" || s.Set == "" {
				t.Fatalf("%+v", s)
			}
		}
	})
}
