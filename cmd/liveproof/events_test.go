package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
)

// agent listens to a session's events as the page of a call's agent does: with a read token in the address.
func (s *server) agent(id string) <-chan sessionView {
	s.t.Helper()
	var reader struct {
		EventsURL string `json:"events_url"`
	}
	require.Equal(s.t, http.StatusCreated, s.api(http.MethodPost, "/v1/sessions/"+id+"/read_token", "", &reader))
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, reader.EventsURL, http.NoBody)
	require.NoError(s.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
	states, read := make(chan sessionView, 1000), make(chan struct{})
	go func() {
		defer close(read)
		defer close(states)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			var v sessionView
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &v) == nil && v.Verdict != "" {
				states <- v
			}
		}
	}()
	s.t.Cleanup(func() { cancel(); _ = resp.Body.Close(); <-read })
	return states
}

// heard waits for a state that satisfies want.
func (s *server) heard(states <-chan sessionView, what string, want func(sessionView) bool) sessionView {
	s.t.Helper()
	limit := time.After(90 * time.Second)
	for {
		select {
		case v, open := <-states:
			require.True(s.t, open, "the stream ended before: %s", what)
			s.t.Logf("heard %s, %s %v", v.State, v.Verdict, v.Reasons)
			if want(v) {
				return v
			}
		case <-limit:
			require.Fail(s.t, "not heard", what)
		}
	}
}

// TestAgentHearsASwap: another person takes a call over. The agent, who listens at another server than the caller's, hears that the
// call is live and that it is not live any more, and how it ended.
func TestAgentHearsASwap(t *testing.T) {
	first, second := shared(t, "media/people/person_d6.mp4"), shared(t, "media/people/person_s18.mp4")
	t.Setenv("LIVEPROOF_INJECTION_WITHHOLD", "off") // the first was converted from 25 to 30 pictures a second, as by a virtual camera
	shared(t, "models/retinaface_mobilenet025.onnx")
	const fit = "scale=640:480,fps=30,setsar=1,settb=1/30"
	clip := encode(t, "-i", first, "-i", second,
		"-filter_complex", "[0]"+fit+",trim=duration=12[a];[1]"+fit+"[b];[a][b]concat,noise=alls=3:allf=t", "-t", "17")
	t.Setenv("LIVEPROOF_INGEST_API_KEYS", "agent-key-0123456789abcdef")
	t.Setenv("LIVEPROOF_INGEST_TOKEN_SECRET", "agent-secret-0123456789abcdef0123456789")
	db := redistest.Start(t)
	caller, agent := startServer(t, "--redis", db.URL()), startServer(t, "--redis", db.URL())
	caller.key, agent.key = "agent-key-0123456789abcdef", "agent-key-0123456789abcdef"

	made := caller.create(`{"mode":"call"}`)
	states := agent.agent(made.ID)
	leave := caller.publish(made, clip)
	agent.heard(states, "live", func(v sessionView) bool { return v.State == "streaming" && v.Verdict == "live" })
	lost := agent.heard(states, "the loss of live", func(v sessionView) bool { return v.Verdict != "live" })
	require.Equal(t, "streaming", lost.State, "the call goes on")
	leave()
	agent.heard(states, "the end", sessionView.terminal)
	require.Eventually(t, func() bool { _, open := <-states; return !open }, 10*time.Second, time.Millisecond, "the stream ends with the session")
}
