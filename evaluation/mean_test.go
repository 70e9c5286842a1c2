package evaluation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func still(name, subject, attack string, score float64, meta map[string]string) Result {
	return Result{
		Presentation: Presentation{Name: name, Subject: subject, AttackType: attack, Meta: meta}, Still: true, Acquired: score > 0, Score: score,
		Frames: liveproof.FrameCounts{Sampled: 1},
	}
}

func TestMeanBy(t *testing.T) {
	results := []Result{
		still("a1", "a", "", .9, map[string]string{"light": "day", "series": "1"}),
		still("b1", "b", "", .5, map[string]string{"light": "day", "series": "2"}),
		still("a2", "a", "", 0, map[string]string{"light": "night", "series": "1"}),
		still("a3", "a", "print", .3, map[string]string{"light": "day", "series": "1"}),
		still("a4", "a", "", .3, map[string]string{"light": "day", "series": "1"}),
		still("d1", "a", "", .1, map[string]string{"light": "day", "series": "1"}),
	}
	plan := Plan{Title: "t", Folds: []Fold{{Dev: []string{"d1"}, Eval: []string{"a1", "b1", "a2", "a3", "a4"}}}}
	joined, list, err := MeanBy(plan, results, "series")
	require.NoError(t, err)
	require.Len(t, list, 4)
	require.Len(t, joined.Folds[0].Dev, 1, "sets do not mix")
	require.Equal(t, []string{"1 (series 2)", "2 (series 3)", "1 (series 4)"}, joined.Folds[0].Eval)
	for i, r := range list {
		require.Equal(t, joined.Presentations[i], r.Presentation)
		require.True(t, r.Still)
	}
	require.InDelta(t, .4, list[1].Score, 1e-12, "of .9, 0 and .3")
	require.Equal(t, map[string]string{"light": "", "series": "1"}, list[1].Meta)
	require.EqualValues(t, 3, list[1].Frames.Sampled)
	require.Equal(t, "print", list[3].AttackType)
	require.Equal(t, "night", results[2].Meta["light"], "the results stay as they are")
	require.Equal(t, "day", results[0].Meta["light"])
	require.Equal(t, []string{"a presentation is a series: the mean score of the pictures with the same series (4 series of 6 pictures)"}, joined.Warnings)

	_, list, err = MeanBy(plan, results, "subject")
	require.NoError(t, err)
	require.Len(t, list, 4)
	_, _, err = MeanBy(plan, results, "light")
	require.ErrorContains(t, err, `light "day" has pictures of the subjects "a" and "b"`)
	results[1].Still = false
	_, _, err = MeanBy(plan, results, "series")
	require.ErrorContains(t, err, "b1 is no still picture")
}
