package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/liveproof/liveproof/internal/mlservertest"
)

// TestMLServerIsLostUnderSessions (make test-kserve): the server scores on two servers of another project. One is killed while calls run: the
// calls go on, and no sample is scored twice. Then the other one: no session becomes live any more.
func TestMLServerIsLostUnderSessions(t *testing.T) {
	const model = "../../models/liveproof-demo-mobilenetv2-int8.onnx"
	start := func() *mlservertest.Server {
		return mlservertest.Start(t, "../../scorer/testdata/mlserver/runtime.py", model)
	}
	replicas := []*mlservertest.Server{start(), start()}
	builder := manual.NewBuilderWithScheme("mlserver")
	builder.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: replicas[0].Address}, {Addr: replicas[1].Address}}})
	resolver.Register(builder)
	t.Setenv("LIVEPROOF_SCORER_BACKEND", "kserve")
	t.Setenv("LIVEPROOF_SCORER_KSERVE_TARGET", "mlserver:///scorer")
	t.Setenv("LIVEPROOF_STORE_REDIS", "")
	s := startServer(t)
	clip := person(t, "person_A_640x480.mjpeg", "60")
	calls := []createdSession{s.create(`{"mode":"call"}`), s.create(`{"mode":"call"}`)}
	for _, made := range calls {
		s.publish(made, clip)
	}
	for _, made := range calls {
		s.awaitScored(made.ID, 5)
	}

	replicas[0].Kill()
	for _, made := range calls {
		before := s.read(made.ID).Frames.Scored
		s.awaitScored(made.ID, before+10)
		s.onceEach(made.ID)
	}

	replicas[1].Kill()
	require.Eventually(t, func() bool {
		var ready struct{ Model string }
		return s.api(http.MethodGet, "/readyz", "", &ready) == http.StatusServiceUnavailable && ready.Model == "not_ready"
	}, 90*time.Second, 100*time.Millisecond, "the server says that it is not ready")
	var made createdSession
	if s.api(http.MethodPost, "/v1/sessions", `{"mode":"onboarding"}`, &made) == http.StatusCreated {
		s.publish(made, clip)
		require.NotEqual(t, "live", s.await(made.ID, "the check ends", sessionView.terminal).Verdict)
	}
	for _, made := range calls {
		s.await(made.ID, "a call without scores is not live", func(v sessionView) bool { return v.Verdict != "live" })
		s.onceEach(made.ID)
	}
}

// onceEach: the timeline has each sample once, in order.
func (s *server) onceEach(id string) {
	s.t.Helper()
	last := int64(-1)
	for _, sample := range s.timeline(id) {
		require.Greater(s.t, sample.Seq, last)
		last = sample.Seq
	}
}
