package live

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/store"
)

// TestDialThatPanics: the session is claimed before Dial, so it is ended like
// any other.
func TestDialThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, store.NewMemory(store.DefaultConfig(), time.Now), follow)
		made := s.created()
		s.deps.Dial = func(liveproof.SessionID, func(webrtc.ICECandidateInit)) (Peer, error) { panic("no socket") }
		_, err := s.Connect(t.Context(), made, "token", Silent{}, nil)
		require.ErrorContains(t, err, "no socket")
		synctest.Wait()
		require.Equal(t, liveproof.Inconclusive(liveproof.ReasonInternalError), s.read(made.ID).Verdict)
		require.Zero(t, s.Count())
		s.close()
	})
}

// negotiating is a peer that never answers the offer.
type negotiating struct{ *stream }

func (p negotiating) Answer(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func (p negotiating) Video(ctx context.Context) (liveproof.UnitSource, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestLateNegotiation: an offer that comes late must be answered within the rest of
// connect_timeout.
func TestLateNegotiation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, store.NewMemory(store.DefaultConfig(), time.Now), follow)
		s.deps.Dial = func(liveproof.SessionID, func(webrtc.ICECandidateInit)) (Peer, error) {
			return negotiating{&stream{done: make(chan struct{})}}, nil
		}
		c, err := s.Connect(t.Context(), s.created(), "token", Silent{}, nil)
		require.NoError(t, err)
		time.Sleep(s.cfg.ConnectTimeout / 2)
		begun := time.Now()
		_, err = c.Answer(t.Context(), "offer")
		require.ErrorIs(t, err, ErrNegotiation)
		require.Equal(t, s.cfg.ConnectTimeout/2, time.Since(begun))
		s.close()
	})
}

// TestEndDuringNegotiation: the client is told that its session has ended, not that
// the request took too long.
func TestEndDuringNegotiation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, store.NewMemory(store.DefaultConfig(), time.Now), follow)
		s.deps.Dial = func(liveproof.SessionID, func(webrtc.ICECandidateInit)) (Peer, error) {
			return negotiating{&stream{done: make(chan struct{})}}, nil
		}
		c, err := s.Connect(t.Context(), s.created(), "token", Silent{}, nil)
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { c.Abort(liveproof.ReasonServerShutdown) })
		_, err = c.Answer(t.Context(), "offer")
		require.ErrorIs(t, err, liveproof.ErrDisconnected)
		s.close()
	})
}
