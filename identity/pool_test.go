package identity

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// staffed is a pool whose runs take a second, and the greatest number of them at once.
func staffed(workers int) (p *pool, most *int) {
	p, most = newPool(), new(int)
	running := make(chan struct{}, workers+1)
	for range workers {
		p.start(func(ctx context.Context, _ *face) (*embedding, error) {
			running <- struct{}{}
			*most = max(*most, len(running))
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			<-running
			return new(embedding), ctx.Err()
		}, func() error { return nil })
	}
	return p, most
}

// TestSessionsTakeTurns: a session that asks again and again does not keep another from its turn, and one face is embedded at a time.
func TestSessionsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, most := staffed(1)
		turns := make([]int, 3)
		for session := range turns {
			go func() {
				for {
					if _, err := p.embed(t.Context(), new(face)); err != nil {
						return
					}
					turns[session]++
				}
			}()
		}
		time.Sleep(30*time.Second + time.Millisecond)
		synctest.Wait()
		require.NoError(t, p.close())
		synctest.Wait()
		require.Equal(t, 1, *most)
		for session, n := range turns {
			require.InDelta(t, 10, n, 1, "session %d", session)
		}
	})
}

func TestPoolGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := staffed(1)
		hurried, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		for range 2 { // while it runs, and before its turn
			go func() { _, _ = p.embed(t.Context(), new(face)) }()
			begun := time.Now()
			_, err := p.embed(hurried, new(face))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.LessOrEqual(t, time.Since(begun), 500*time.Millisecond)
		}
		require.NoError(t, p.close())
		_, err := p.embed(t.Context(), new(face))
		require.ErrorIs(t, err, ErrClosed)
	})
}

func TestPoolFreesItsWorkers(t *testing.T) {
	p, broken := newPool(), errors.New("broken")
	p.start(func(context.Context, *face) (*embedding, error) { return nil, broken }, func() error { return broken })
	_, err := p.embed(t.Context(), new(face))
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, p.close(), broken)
}
