package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/cpu"
)

// TestServerMeasuresItsSessions: as it is shipped, with session.max_sessions auto, a server takes a session however busy
// the machine is, and soon knows what it costs.
func TestServerMeasuresItsSessions(t *testing.T) {
	if _, err := cpu.Read(); err != nil {
		t.Skip(err)
	}
	t.Setenv("LIVEPROOF_SESSION_MAX_SESSIONS", "auto")
	s := startServer(t)
	clip := nobody(t, "15") // before the session, whose token expires
	made := s.create(`{"mode":"call"}`)
	require.Zero(t, s.metric("liveproof_session_cost_cores"), "nothing is known yet")
	s.publish(made, clip)
	for _, name := range []string{"liveproof_session_cost_cores", `liveproof_capacity_used_ratio{resource="cpu"}`} {
		require.Eventually(t, func() bool { return s.metric(name) > 0 }, time.Minute, 100*time.Millisecond, name)
	}
}
