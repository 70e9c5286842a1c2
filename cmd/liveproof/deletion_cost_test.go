package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCostOf(t *testing.T) {
	for sessions, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 3: 2, 31: 16, 32: 32, 100: 64} {
		require.Equal(t, want, costOf(sessions), sessions)
	}
}

// kubernetes is the part of an API server that a pod's annotation needs.
type kubernetes struct {
	status  int
	patches []string
}

func (k *kubernetes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	wanted := r.Method == http.MethodPatch && r.URL.Path == "/api/v1/namespaces/live/pods/media-1" &&
		r.Header.Get("Content-Type") == "application/merge-patch+json" && r.Header.Get("Authorization") == "Bearer secret"
	if !wanted {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	w.WriteHeader(k.status)
	if k.status == http.StatusOK {
		k.patches = append(k.patches, string(body))
	}
}

// TestDeletionCost: the pod's annotation follows the number of sessions by powers of two, is written again after a refusal, and is left alone
// when the sessions cannot be counted.
func TestDeletionCost(t *testing.T) {
	var sessions atomic.Int64
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "liveproof_pipeline_sessions_active 99\n# TYPE liveproof_sessions_active gauge\nliveproof_sessions_active %d\n", sessions.Load())
	}))
	defer metrics.Close()
	k := &kubernetes{status: http.StatusOK}
	api := httptest.NewTLSServer(k)
	defer api.Close()
	account := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(account, "token"), []byte("secret\n"), 0o600))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(account, "ca.crt"), ca, 0o600))
	at, err := url.Parse(api.URL)
	require.NoError(t, err)
	environment := map[string]string{"KUBERNETES_SERVICE_HOST": at.Hostname(), "KUBERNETES_SERVICE_PORT": at.Port(), "POD_NAMESPACE": "live", "POD_NAME": "media-1"}
	pod, err := thisPod(func(name string) string { return environment[name] }, account)
	require.NoError(t, err)
	defer pod.client.CloseIdleConnections()
	d := &deletionCost{pod: pod, metrics: metrics.URL, log: slog.New(slog.DiscardHandler), written: -1}

	for _, n := range []int64{0, 1, 5, 6, 7} {
		sessions.Store(n)
		require.NoError(t, d.update(t.Context()))
	}
	patch := func(cost int) string {
		return fmt.Sprintf(`{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"%d"}}}`, cost)
	}
	require.Equal(t, []string{patch(0), patch(1), patch(4)}, k.patches)

	k.status = http.StatusForbidden
	sessions.Store(9)
	require.ErrorContains(t, d.update(t.Context()), "403")
	k.status = http.StatusOK
	require.NoError(t, d.update(t.Context()))
	require.Equal(t, patch(8), k.patches[3])

	d.metrics = api.URL + "/metrics"
	require.Error(t, d.update(t.Context()))
	require.Len(t, k.patches, 4)
}

func TestDeletionCostOutsideAPod(t *testing.T) {
	_, err := thisPod(func(string) string { return "" }, t.TempDir())
	require.ErrorContains(t, err, "this command runs in a pod")
}
