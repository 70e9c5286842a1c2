package pipeline

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// examiner answers the n-th view, from 1.
type examiner struct {
	views  []liveproof.View
	answer func(n int) (liveproof.Finding, error)
}

func (e *examiner) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	e.views = append(e.views, v)
	return e.answer(len(e.views))
}

// requiring is a rig of a file whose sessions require motion, with one examiner.
func requiring(t *testing.T, answer func(n int) (liveproof.Finding, error)) (*rig, *examiner) {
	r := fileRig(t, play(300, 30))
	r.models.score = always(0.9)
	r.policy.Require = append(r.policy.Require, liveproof.EvidenceMotion)
	e := &examiner{answer: answer}
	r.examiners = []Examiner{e}
	return r, e
}

func TestExaminersGiveTheirEvidence(t *testing.T) {
	r, e := requiring(t, func(n int) (liveproof.Finding, error) {
		found := liveproof.Finding{Signals: map[string]float64{"motion.residual": float64(n)}}
		if n == 5 {
			found.Given = []liveproof.Evidence{liveproof.EvidenceMotion}
		}
		return found, nil
	})
	v, err := r.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomeLive, v.Outcome, v.Reasons)
	require.Equal(t, []liveproof.Evidence{liveproof.EvidencePassive, liveproof.EvidenceMotion}, v.Evidence)
	timeline := r.timeline()
	require.Len(t, e.views, len(timeline))
	for i, s := range timeline {
		require.Equal(t, s.T, e.views[i].T, "in the order of the samples")
		require.Equal(t, map[string]float64{"motion.residual": float64(i + 1)}, s.Signals)
		require.Equal(t, i == 4, len(s.Evidence) == 1)
	}
}

// TestEvidenceWithholds: whatever an examiner finds, and however it fails, no session becomes live by it.
func TestEvidenceWithholds(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(n int) (liveproof.Finding, error)
		reason liveproof.Reason
	}{
		"finds nothing": {func(int) (liveproof.Finding, error) { return liveproof.Finding{}, nil }, liveproof.ReasonMotionMissing},
		"fails":         {func(int) (liveproof.Finding, error) { return liveproof.Finding{}, errors.New("broken") }, liveproof.ReasonInternalError},
		"doubts": {func(int) (liveproof.Finding, error) {
			return liveproof.Finding{Given: []liveproof.Evidence{liveproof.EvidenceMotion}, Reasons: []liveproof.Reason{liveproof.ReasonFrozenPicture}}, nil
		}, liveproof.ReasonFrozenPicture},
		"sees another face each time": {func(int) (liveproof.Finding, error) {
			return liveproof.Finding{Given: []liveproof.Evidence{liveproof.EvidenceMotion}, Reasons: []liveproof.Reason{liveproof.ReasonFaceChanged}}, nil
		}, liveproof.ReasonFaceChanged},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := requiring(t, c.answer)
			v, err := r.run(t.Context())
			require.NoError(t, err)
			require.Equal(t, liveproof.OutcomeInconclusive, v.Outcome)
			require.Contains(t, v.Reasons, c.reason)
		})
	}
}

func TestExaminerPanics(t *testing.T) {
	r, _ := requiring(t, func(int) (liveproof.Finding, error) { panic("examiner") })
	v, err := r.run(t.Context())
	require.ErrorIs(t, err, ErrPanic)
	require.Equal(t, liveproof.OutcomeInconclusive, v.Outcome)
}

// TestPersonIsToldWhatIsMissing: only once everything else is there.
func TestPersonIsToldWhatIsMissing(t *testing.T) {
	r, _ := requiring(t, func(int) (liveproof.Finding, error) { return liveproof.Finding{}, nil })
	_, err := r.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonMotionMissing}, r.hints())
}

// TestRecordingsNeedNoOtherEvidence: a stream that is known to be a recording is judged by ρ alone.
func TestRecordingsNeedNoOtherEvidence(t *testing.T) {
	r, e := requiring(t, func(int) (liveproof.Finding, error) { return liveproof.Finding{}, errors.New("not asked") })
	r.cfg.Recorded = true
	v, err := r.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomeLive, v.Outcome)
	require.Equal(t, 2*time.Second, v.At.Truncate(time.Second))
	require.Empty(t, e.views)
}

// TestChallengesAreTold: what an examiner asks reaches the observer, and a failed one ends the session.
func TestChallengesAreTold(t *testing.T) {
	asked := liveproof.Challenge{ID: "nonce", Kind: liveproof.EvidenceFlash}
	r, e := requiring(t, func(n int) (liveproof.Finding, error) {
		switch {
		case n == 2:
			return liveproof.Finding{Ask: &asked}, nil
		case n > 9:
			return liveproof.Finding{Reasons: []liveproof.Reason{liveproof.ReasonChallengeFailed}}, nil
		}
		return liveproof.Finding{}, nil
	})
	v, err := r.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomeInconclusive, v.Outcome)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonChallengeFailed}, v.Reasons)
	require.Less(t, v.At, 3*time.Second)
	var told []*liveproof.Challenge
	for _, event := range r.events {
		if event.Challenge != nil {
			told = append(told, event.Challenge)
		}
	}
	require.Equal(t, []*liveproof.Challenge{&asked}, told)
	require.GreaterOrEqual(t, len(e.views), 10)
}

// TestExaminersSeeThePose: that of the quality gates, in degrees, and none where the detector gives no landmarks.
func TestExaminersSeeThePose(t *testing.T) {
	for name, landmarks := range map[string]*liveproof.Landmarks{"landmarks": {}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			r, e := requiring(t, func(int) (liveproof.Finding, error) { return liveproof.Finding{}, nil })
			r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
				d := oneFace(1)
				d.Faces[0].Landmarks = landmarks
				return d, nil
			}
			r.models.assess = func(int) liveproof.Quality { return liveproof.Quality{Weight: 1, Yaw: 0.5, Pitch: -0.25} }
			_, err := r.run(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, e.views)
			pose := e.views[0].Pose
			if landmarks == nil {
				require.Nil(t, pose)
				return
			}
			require.InDelta(t, 26.6, pose.Yaw, 0.1)
			require.InDelta(t, -18.0, pose.Pitch, 0.1)
		})
	}
}
