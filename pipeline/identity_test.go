package pipeline

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// scripted is a rig of a file that shows one scene, and another one from picture 40 on, with a watcher of identity (nil: none).
func scripted(t *testing.T, identity Examiner) *rig {
	src := play(150, 30)
	for i, p := range src.pictures {
		sway(p, min(1, i/40))
	}
	r := fileRig(t, src)
	r.models.score = always(0.9)
	r.identity = identity
	return r
}

func reasonsAt(r *rig, why liveproof.Reason) (at []time.Duration) {
	for _, s := range r.timeline() {
		for _, reason := range s.Reasons {
			if reason == why {
				at = append(at, s.T)
			}
		}
	}
	return at
}

// TestSureCutRestarts: where nobody watches for identity, every sure cut is taken for another person.
func TestSureCutRestarts(t *testing.T) {
	r := scripted(t, nil)
	v, err := r.run(t.Context())
	require.NoError(t, err)
	at := reasonsAt(r, liveproof.ReasonSceneCut)
	require.Len(t, at, 1)
	require.InDelta(t, 40./30, at[0].Seconds(), 0.21)
	require.Equal(t, liveproof.OutcomeLive, v.Outcome)
	require.GreaterOrEqual(t, v.At, at[0]+r.policy.MinSpan, "on the evidence after the cut alone")
}

// TestIdentityHearsOfCuts: once, with the next view, and its restart is another track for the examiners after it.
func TestIdentityHearsOfCuts(t *testing.T) {
	var cuts []int
	watcher := &examiner{}
	watcher.answer = func(n int) (f liveproof.Finding, err error) {
		if watcher.views[n-1].Cut == liveproof.CutSure {
			cuts = append(cuts, n)
			f.Reasons = []liveproof.Reason{liveproof.ReasonSceneCut}
		}
		return f, nil
	}
	r := scripted(t, watcher)
	after := &examiner{answer: func(int) (liveproof.Finding, error) { return liveproof.Finding{}, nil }}
	r.examiners = []Examiner{after}
	_, err := r.run(t.Context())
	require.NoError(t, err)
	require.Len(t, cuts, 1)
	require.Equal(t, watcher.views[cuts[0]-2].Track, after.views[cuts[0]-2].Track)
	require.Equal(t, watcher.views[cuts[0]-1].Track+1, after.views[cuts[0]-1].Track)
}

// TestBrokenIdentityNeverPasses: who cannot say whether the person is the same, says no.
func TestBrokenIdentityNeverPasses(t *testing.T) {
	r := scripted(t, &examiner{answer: func(int) (liveproof.Finding, error) { return liveproof.Finding{}, errors.New("broken") }})
	v, err := r.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomeInconclusive, v.Outcome)
	require.Zero(t, r.report.Counts.Scored)
	require.NotEmpty(t, reasonsAt(r, liveproof.ReasonFaceChanged))
}

// TestRecordingsAreNotWatched: error rates are measured on recordings as they are.
func TestRecordingsAreNotWatched(t *testing.T) {
	r := scripted(t, nil)
	r.cfg.Recorded = true
	_, err := r.run(t.Context())
	require.NoError(t, err)
	require.Empty(t, reasonsAt(r, liveproof.ReasonSceneCut))
}

func TestCutsSince(t *testing.T) {
	before := cuts{likely: 2, sure: 1}
	require.Equal(t, liveproof.CutNone, before.since(before))
	require.Equal(t, liveproof.CutLikely, cuts{likely: 3, sure: 1}.since(before))
	require.Equal(t, liveproof.CutSure, cuts{likely: 3, sure: 2}.since(before))
}
