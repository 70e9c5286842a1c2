package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
)

// TestOutageIsLoggedOnceEachWay: requests, lease renewals, sweeps and a session's own writes fail
// while Redis is away; the log has one line when that begins and one when it ends.
func TestOutageIsLoggedOnceEachWay(t *testing.T) {
	t.Parallel()
	clip := nobody(t, "12")
	db := redistest.Start(t)
	s := startServer(t, "--redis", db.URL())
	made := s.create(`{"mode":"call"}`)
	s.publish(made, clip)
	s.await(made.ID, "media", func(v sessionView) bool { return v.Frames.Sampled > 2 })
	const told = "Redis answers again"
	before := len(s.log.lines(told)) // the demo model's warning
	for outage := 1; outage <= 2; outage++ {
		db.Stop()
		for begin := time.Now(); time.Since(begin) < 3*time.Second; { // leases are renewed and sweeps are made once a second
			require.Equal(t, http.StatusServiceUnavailable, s.api(http.MethodPost, "/v1/sessions", `{"mode":"call"}`, nil))
			require.Equal(t, http.StatusServiceUnavailable, s.api(http.MethodGet, "/v1/sessions/"+made.ID, "", nil))
			require.Equal(t, http.StatusServiceUnavailable, s.api(http.MethodGet, "/readyz", "", nil))
		}
		lines := s.log.lines(told)[before:]
		require.Len(t, lines, 2*outage-1, "%q", lines)
		require.Contains(t, lines[2*outage-2], "Redis does not answer")
		require.Contains(t, lines[2*outage-2], "level=ERROR")

		db.Start()
		require.Eventually(t, func() bool { return len(s.log.lines(told)) > before+2*outage-1 }, 30*time.Second, 50*time.Millisecond)
		require.Equal(t, http.StatusCreated, s.api(http.MethodPost, "/v1/sessions", `{"mode":"call"}`, nil))
		lines = s.log.lines(told)[before:]
		require.Len(t, lines, 2*outage, "%q", lines)
		require.Contains(t, lines[2*outage-1], told)
		require.Contains(t, lines[2*outage-1], "away=")
	}
}
