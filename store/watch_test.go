package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
)

// watch follows the store's changes until the test ends.
func watch(t *testing.T, s storer) <-chan liveproof.SessionID {
	t.Helper()
	told := make(chan liveproof.SessionID, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx, func(id liveproof.SessionID) { told <- id }) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	// Watch tells what changes after its start, whose moment no caller can see: a session is deleted until one is told.
	require.Eventually(t, func() bool {
		probe := create(t, s)
		require.NoError(t, s.Delete(t.Context(), probe.ID))
		select {
		case <-told:
			return true
		case <-time.After(20 * time.Millisecond):
			return false
		}
	}, 10*time.Second, time.Millisecond)
	return told
}

// awaitTold waits until the session is told.
func awaitTold(t *testing.T, told <-chan liveproof.SessionID, id liveproof.SessionID, what string) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case got := <-told:
			if got == id {
				return
			}
		case <-limit:
			require.Fail(t, "not told", what)
		}
	}
}

// checkWatch: every change of state and outcome is told, and its time is in the record.
func checkWatch(t *testing.T, s storer) {
	told, made := watch(t, s), create(t, s)
	last := made.ChangedAt
	require.True(t, last.IsZero(), "nothing has changed yet")
	model, threshold := liveproof.ModelInfo{Name: "m"}, liveproof.Threshold{}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"claim", func() error { return s.Claim(t.Context(), made.ID, "token", held()) }},
		{"streaming", func() error { return s.SetStreaming(t.Context(), made.ID, model, threshold, "d") }},
		{"verdict", func() error {
			return s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, liveproof.FrameCounts{}, live)
		}},
		{"end", func() error { return decide(s, made.ID, decided(spoof())) }},
	} {
		time.Sleep(2 * time.Millisecond) // the record has milliseconds
		require.NoError(t, step.do(), step.name)
		awaitTold(t, told, made.ID, step.name)
		got, err := s.Get(t.Context(), made.ID)
		require.NoError(t, err)
		require.True(t, got.ChangedAt.After(last), "%s: %v is not after %v", step.name, got.ChangedAt, last)
		last = got.ChangedAt
	}
	require.NoError(t, s.Delete(t.Context(), made.ID))
	awaitTold(t, told, made.ID, "delete")
}

// TestWatchOfOtherServers: a change that another server made is told here.
func TestWatchOfOtherServers(t *testing.T) {
	server := redistest.Start(t)
	here, there := newRedis(t, testConfig(server.URL())), newRedis(t, testConfig(server.URL()))
	told, made := watch(t, here), create(t, there)
	require.NoError(t, there.Claim(t.Context(), made.ID, "token", held()))
	awaitTold(t, told, made.ID, "claim of another server")
}

// TestWatchWithoutRedis: the caller learns that nothing is told any more.
func TestWatchWithoutRedis(t *testing.T) {
	server := redistest.Start(t)
	cfg := testConfig(server.URL())
	cfg.Retries = 0
	r := newRedis(t, cfg)
	server.Stop()
	err := r.Watch(t.Context(), func(liveproof.SessionID) {})
	require.ErrorIs(t, err, liveproof.ErrUnavailable)
}
