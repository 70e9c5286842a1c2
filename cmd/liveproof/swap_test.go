package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// tinyModels are a model that scores a crop by its brightness, with the threshold 0.5, and
// one that gives half of that, with 0.7.
func tinyModels(t *testing.T) (whole, half []byte) {
	whole, err := os.ReadFile("../../scorer/testdata/tiny.onnx")
	require.NoError(t, err)
	half = whole
	for old, changed := range map[string]string{"\x080.500000": "\x080.700000", "\x00\x00\x7f\x43": "\x00\x00\xff\x43"} { // 255 → 510
		require.Equal(t, 1, bytes.Count(half, []byte(old)), "tiny.onnx has changed")
		half = bytes.Replace(half, []byte(old), []byte(changed), 1)
	}
	return whole, half
}

// judgedView is a session with what judged it.
type judgedView struct {
	State  string `json:"state"`
	Frames struct {
		Scored int `json:"scored"`
	} `json:"frames"`
	Model liveproof.ModelInfo `json:"model"`
}

func (s *server) awaitScored(id string, n int) (v judgedView) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		v = judgedView{}
		require.Equal(s.t, http.StatusOK, s.api(http.MethodGet, "/v1/sessions/"+id, "", &v))
		return v.Frames.Scored >= n
	}, 90*time.Second, 50*time.Millisecond, "scored samples")
	return v
}

// rhos are the scores of a session's timeline.
func (s *server) rhos(id string) (rhos []float64) {
	s.t.Helper()
	var timeline struct {
		Samples []struct {
			Scored bool    `json:"scored"`
			Rho    float64 `json:"rho"`
		} `json:"samples"`
	}
	require.Equal(s.t, http.StatusOK, s.api(http.MethodGet, "/v1/sessions/"+id+"/timeline", "", &timeline))
	for _, x := range timeline.Samples {
		if x.Scored {
			rhos = append(rhos, x.Rho)
		}
	}
	return rhos
}

// The session that runs during a swap keeps its model's scores, threshold and hash to
// its end; one that begins after it has the new ones.
func TestHotSwapMidSession(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "40")
	whole, half := tinyModels(t)
	path := filepath.Join(t.TempDir(), "model.onnx")
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	t.Setenv("LIVEPROOF_SCORER_MODEL", path)
	s := startServer(t)

	old := s.create(`{"mode":"call"}`)
	leave := s.publish(old, clip)
	before := s.awaitScored(old.ID, 3)
	require.Equal(t, .5, before.Model.Threshold)

	require.NoError(t, os.WriteFile(path, half, 0o600))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	require.Eventually(t, func() bool { return s.metric("liveproof_scorer_model_swaps_total") == 1 }, 30*time.Second, 50*time.Millisecond)
	atSwap := s.awaitScored(old.ID, 0).Frames.Scored

	fresh := s.create(`{"mode":"call"}`)
	leaveFresh := s.publish(fresh, clip)
	after := s.awaitScored(fresh.ID, 5)
	during := s.awaitScored(old.ID, atSwap+5)
	require.Equal(t, 2., s.metric("liveproof_scorer_models"))
	leave()
	leaveFresh()

	require.Equal(t, before.Model, during.Model)
	require.Equal(t, .7, after.Model.Threshold)
	require.NotEqual(t, before.Model.SHA256, after.Model.SHA256)
	oldRhos, newRhos := s.rhos(old.ID), s.rhos(fresh.ID)
	require.Greater(t, len(oldRhos), atSwap)
	for _, rho := range oldRhos { // the same face in the same light throughout
		require.InEpsilon(t, oldRhos[0], rho, .2, "old session: %v", oldRhos)
	}
	for _, rho := range newRhos {
		require.InEpsilon(t, oldRhos[0]/2, rho, .2, "new session: %v of %v", newRhos, oldRhos)
	}
	require.Eventually(t, func() bool { return s.metric("liveproof_scorer_models") == 1 }, 90*time.Second, 50*time.Millisecond,
		"the old model goes with its last session")
}
