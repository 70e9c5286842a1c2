package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/publish"
)

// suspicion is what a record says of injection.
type suspicion struct {
	Verdict string   `json:"verdict"`
	Reasons []string `json:"reasons"`
	Risk    float64  `json:"injection_risk"`
	Signal  string   `json:"injection_signal"`
}

// suspected publishes a clip and returns what the session's record says at its end.
func (s *server) suspected(clip *publish.Clip) (v suspicion) {
	s.t.Helper()
	made := s.create(`{"mode":"onboarding"}`)
	leave := s.publish(made, clip)
	defer leave()
	s.await(made.ID, "the end", sessionView.terminal)
	require.Equal(s.t, http.StatusOK, s.api(http.MethodGet, "/v1/sessions/"+made.ID, "", &v))
	return v
}

// TestConvertedFrameRateIsWithheld: the person is live at the camera's own frame rate. Converted from 15 to 30 pictures a second, as a
// virtual camera does, the same video is not where the operator has set a threshold below the risk of repeats. The default records it.
func TestConvertedFrameRateIsWithheld(t *testing.T) {
	const name = "media/person_A_640x480.mjpeg"
	shared(t, "models/retinaface_mobilenet025.onnx")
	camera := person(t, "person_A_640x480.mjpeg", "14")
	converted := encode(t, "-stream_loop", "9", "-f", "mjpeg", "-r", "30", "-i", shared(t, name), "-vf", "noise=alls=3:allf=t,fps=15,fps=30", "-t", "14")
	t.Setenv("LIVEPROOF_SESSION_DEADLINE", "10s")

	t.Setenv("LIVEPROOF_INJECTION_THRESHOLD", "0.7")
	s := startServer(t)
	honest := s.suspected(camera)
	require.Equal(t, "live", honest.Verdict, "%+v", honest)
	require.Less(t, honest.Risk, 0.7, "%+v", honest)

	virtual := s.suspected(converted)
	require.Equal(t, "inconclusive", virtual.Verdict, "%+v", virtual)
	require.Contains(t, virtual.Reasons, "injection_suspected")
	require.GreaterOrEqual(t, virtual.Risk, 0.7)
	require.Equal(t, "repeats", virtual.Signal)
	require.InDelta(t, 1, s.metric(`liveproof_injection_suspected_total{signal="repeats"}`), 0)

	t.Setenv("LIVEPROOF_INJECTION_THRESHOLD", "0.8")
	recorded := startServer(t).suspected(converted)
	require.Equal(t, "live", recorded.Verdict, "%+v", recorded)
	require.Equal(t, "repeats", recorded.Signal)
}

// TestRequiredAttestation: only the client whose statement the verifier accepts is live.
func TestRequiredAttestation(t *testing.T) {
	shared(t, "models/retinaface_mobilenet025.onnx")
	clip := person(t, "person_A_640x480.mjpeg", "9")
	verifier := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked map[string]string
		_ = json.NewDecoder(r.Body).Decode(&asked)
		_ = json.NewEncoder(w).Encode(map[string]bool{"verified": asked["attestation"] == "genuine:"+asked["session"]})
	}))
	t.Cleanup(verifier.Close)
	t.Setenv("LIVEPROOF_SESSION_DEADLINE", "9s")
	t.Setenv("LIVEPROOF_INJECTION_ATTESTATION_URL", verifier.URL)
	t.Setenv("LIVEPROOF_INJECTION_ATTESTATION_REQUIRE", "true")
	s := startServer(t)
	for statement, want := range map[string]string{"genuine:": "live", "forged:": "inconclusive", "": "inconclusive"} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel() // most of the time is the film's own
			made := s.create(`{"mode":"onboarding"}`)
			if statement != "" {
				statement += made.ID
			}
			s.attest(t, made, statement, clip)
			v := s.await(made.ID, "the end", sessionView.terminal)
			require.Equal(t, want, v.Verdict, "%v", v.Reasons)
			if want != "live" {
				require.Contains(t, v.Reasons, "injection_suspected")
			}
		})
	}
}

// attest publishes a clip over WHIP, with a statement in the header of the offer.
func (s *server) attest(t *testing.T, made createdSession, statement string, clip *publish.Clip) {
	t.Helper()
	client := publish.Client{HTTP: &http.Client{Transport: stating(statement)}}
	session := publish.Session{ID: made.ID, ClientToken: made.ClientToken, WHIPURL: made.WHIPURL}
	p, err := publish.Connect(t.Context(), publish.Options{Client: client}, session, clip)
	require.NoError(t, err)
	var sending sync.WaitGroup
	sending.Go(func() { _ = p.Send(t.Context(), clip) })
	t.Cleanup(func() {
		_ = p.Abandon()
		sending.Wait()
	})
}

// stating adds a client's statement to each request.
type stating string

// RoundTrip implements http.RoundTripper.
func (s stating) RoundTrip(r *http.Request) (*http.Response, error) {
	if s != "" {
		r.Header.Set("Liveproof-Attestation", string(s))
	}
	return http.DefaultTransport.RoundTrip(r)
}
