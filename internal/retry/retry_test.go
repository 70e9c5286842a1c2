package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/retry"
)

var errAway = fmt.Errorf("redis: %w", liveproof.ErrUnavailable)

func TestRetriesWhileTheDependencyIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, begun := 0, time.Now()
		err := retry.WhileUnavailable(t.Context(), func() error {
			if calls++; calls < 4 {
				return errAway
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 4, calls)
		require.Equal(t, 350*time.Millisecond, time.Since(begun), "50 + 100 + 200 ms")
	})
}

func TestAnotherErrorIsNotRepeated(t *testing.T) {
	refused, calls := errors.New("refused"), 0
	err := retry.WhileUnavailable(t.Context(), func() error { calls++; return refused })
	require.ErrorIs(t, err, refused)
	require.Equal(t, 1, calls)
}

func TestGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		calls := 0
		err := retry.WhileUnavailable(ctx, func() error { calls++; return errAway })
		require.ErrorIs(t, err, liveproof.ErrUnavailable, "the dependency's error, not the context's")
		require.LessOrEqual(t, calls, 8, "the pauses grow")
	})
}
