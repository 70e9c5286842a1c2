package pipeline

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/verdict"
)

func TestFileIsLosslessAndInOrder(t *testing.T) {
	const seconds = 20
	r := fileRig(t, play(30*seconds, 30))
	r.cfg.QueueSize, r.cfg.InFlight = 1, 4
	r.models.score = func(_ context.Context, n int) (float64, error) {
		// Answers come back in another order than they were asked for.
		time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
		return 0.9, nil
	}
	v, err := r.run(context.Background())
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomeLive, v.Outcome)
	require.Equal(t, liveproof.StateDecided, r.end.State)
	// The first cell of the grid is half as long as the others.
	require.Len(t, r.timeline(), 5*seconds+1)
	for i, s := range r.timeline() {
		require.Equal(t, int64(i+1), s.Seq)
		require.True(t, s.Scored)
		if i > 0 {
			require.Greater(t, s.T, r.timeline()[i-1].T)
		}
	}
	require.Equal(t, liveproof.FrameCounts{Received: 600, Decoded: 600, Sampled: 101, Scored: 101}, r.report.Counts)
	require.Equal(t, r.timeline(), r.report.Samples)
	require.InDelta(t, 0.9, r.report.MeanRho, 1e-9)
	require.Empty(t, r.report.Drops)
}

func TestFileVerdictIsRecomputableFromItsTimeline(t *testing.T) {
	for _, rho := range []float64{0.1, 0.5, 0.9} {
		r := fileRig(t, play(300, 30))
		r.models.score = always(rho)
		v, err := r.run(context.Background())
		require.NoError(t, err)
		last := r.timeline()[len(r.timeline())-1].T
		again := verdict.Fold(r.policy.For(liveproof.Session{Threshold: liveproof.Threshold{Value: 0.5}}), r.info.Mode, r.timeline(), last, liveproof.ReasonInsufficientEvidence)
		require.Equal(t, v, again)
	}
}

func TestFileStopsAtVerdictWhenAsked(t *testing.T) {
	r := fileRig(t, play(3000, 30))
	r.cfg.StopAtVerdict = true
	v, err := r.run(context.Background())
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomeLive, v.Outcome)
	require.Less(t, r.src.next, 3000)
}

func TestFileEnds(t *testing.T) {
	broken := errors.New("invalid data found")
	tests := []struct {
		name    string
		pics    int
		end     error
		outcome liveproof.Outcome
		state   liveproof.State
		reason  liveproof.Reason
		err     error
	}{
		{"long enough", 300, nil, liveproof.OutcomeLive, liveproof.StateDecided, liveproof.ReasonScoreAbove, nil},
		{"too short", 30, nil, liveproof.OutcomeInconclusive, liveproof.StateDecided, liveproof.ReasonInsufficientEvidence, nil},
		{"empty", 0, nil, liveproof.OutcomeInconclusive, liveproof.StateDecided, liveproof.ReasonInsufficientEvidence, nil},
		{"corrupt early", 30, broken, liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError, broken},
		{"corrupt late", 300, broken, liveproof.OutcomeLive, liveproof.StateDecided, liveproof.ReasonScoreAbove, broken},
		{"codec", 3, liveproof.ErrUnsupportedCodec, liveproof.OutcomeInconclusive, liveproof.StateFailed,
			liveproof.ReasonUnsupportedMedia, liveproof.ErrUnsupportedCodec},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := fileRig(t, play(tt.pics, 30))
			if tt.end != nil {
				r.src.ending(tt.end)
			}
			v, err := r.run(context.Background())
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.outcome, v.Outcome)
			require.Equal(t, tt.reason, v.Reasons[0])
			require.Equal(t, tt.state, r.end.State)
			require.Equal(t, int64(tt.pics), r.end.Frames.Decoded)
			if tt.pics == 30 {
				require.InDelta(t, 0.9, v.Score, 1e-9)
			}
		})
	}
}
