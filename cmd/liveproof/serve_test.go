package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/store/redistest"
)

func TestPersonGetsAVerdictOverWHIPIntoRedis(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "20")
	db := redistest.Start(t)
	s := startServer(t, "--redis", db.URL())
	made := s.create(`{"mode":"onboarding"}`)
	s.publish(made, clip)
	v := s.await(made.ID, "a terminal state", sessionView.terminal)
	t.Logf("%+v", v)
	require.Equal(t, "decided", v.State)
	require.NotEqual(t, "pending", v.Verdict)
	require.GreaterOrEqual(t, v.Frames.Scored, 10)
	require.NotEmpty(t, v.Model.Name)

	opt, err := redis.ParseURL(db.URL())
	require.NoError(t, err)
	client := redis.NewClient(opt)
	defer client.Close()
	stored, err := client.HGetAll(t.Context(), "liveproof:session:"+made.ID).Result()
	require.NoError(t, err)
	require.Equal(t, v.Verdict, stored["verdict"])
	require.Equal(t, "decided", stored["state"])
}

func TestNobodyIsInconclusive(t *testing.T) {
	s := startServer(t)
	made := s.create(`{"mode":"onboarding","deadline_s":4}`)
	s.publish(made, nobody(t, "12"))
	v := s.await(made.ID, "a terminal state", sessionView.terminal)
	require.Equal(t, "decided", v.State)
	require.Equal(t, "inconclusive", v.Verdict)
	require.Contains(t, v.Reasons, "no_face")
	require.Zero(t, v.Frames.Scored)
}

func TestCase12TabClosedMidSession(t *testing.T) {
	s := startServer(t)
	made := s.create(`{"mode":"onboarding","deadline_s":60}`)
	leave := s.publish(made, nobody(t, "12"))
	s.await(made.ID, "media", func(v sessionView) bool { return v.Frames.Sampled > 2 })
	leave()
	v := s.await(made.ID, "a terminal state", sessionView.terminal)
	require.Equal(t, "inconclusive", v.Verdict)
	require.NotEqual(t, "decided", v.State)
}

func TestCase14RedisStoppedAndStartedMidSession(t *testing.T) {
	clip := nobody(t, "20")
	db := redistest.Start(t)
	s := startServer(t, "--redis", db.URL())
	made := s.create(`{"mode":"call"}`)
	s.publish(made, clip)
	s.await(made.ID, "media", func(v sessionView) bool { return v.Frames.Sampled > 2 })
	db.Stop()
	require.Equal(t, http.StatusServiceUnavailable, s.api(http.MethodPost, "/v1/sessions", `{"mode":"call"}`, nil))
	require.Equal(t, http.StatusServiceUnavailable, s.api(http.MethodGet, "/readyz", "", nil))
	require.Equal(t, http.StatusOK, s.api(http.MethodGet, "/healthz", "", nil), "alive, not ready")
	db.Start()
	require.Eventually(t, func() bool { return s.api(http.MethodGet, "/readyz", "", nil) == http.StatusOK },
		30*time.Second, 100*time.Millisecond, "heals by itself")
	other := s.create(`{"mode":"onboarding","deadline_s":4}`)
	s.publish(other, clip)
	v := s.await(other.ID, "a verdict after the restart", sessionView.terminal)
	require.Equal(t, "inconclusive", v.Verdict)
	// This redis-server kept nothing: the first session is gone and must not be revived by its late writes.
	require.Equal(t, http.StatusNotFound, s.api(http.MethodGet, "/v1/sessions/"+made.ID, "", nil))
}

func TestCase16ShutdownEndsEverySession(t *testing.T) {
	db := redistest.Start(t)
	t.Setenv("LIVEPROOF_INGEST_DRAIN_TIMEOUT", "1s")
	s := startServer(t, "--redis", db.URL())
	made := s.create(`{"mode":"call"}`)
	s.publish(made, nobody(t, "20"))
	s.await(made.ID, "media", func(v sessionView) bool { return v.Frames.Sampled > 2 })
	s.close()
	require.Zero(t, s.code)

	opt, err := redis.ParseURL(db.URL())
	require.NoError(t, err)
	client := redis.NewClient(opt)
	defer client.Close()
	stored, err := client.HGetAll(t.Context(), "liveproof:session:"+made.ID).Result()
	require.NoError(t, err)
	require.Equal(t, "inconclusive", stored["verdict"])
	require.Contains(t, []string{"expired", "failed", "decided"}, stored["state"])
	require.Contains(t, stored["result"], "server_shutdown")
}

// TestCase12FiftySessionsLeaveNothingBehind: goroutines and memory are back at the baseline.
func TestCase12FiftySessionsLeaveNothingBehind(t *testing.T) {
	clip := nobody(t, "8")
	s := startServer(t)
	run := func(n int) {
		for range n {
			made := s.create(`{"mode":"onboarding","deadline_s":1}`)
			leave := s.publish(made, clip)
			s.await(made.ID, "a terminal state", sessionView.terminal)
			leave()
		}
	}
	run(5) // pools and caches fill
	before, heapBefore := settled()
	run(50)
	require.Eventually(t, func() bool {
		after, _ := settled()
		return after <= before+2
	}, 30*time.Second, 200*time.Millisecond, "goroutines leak")
	_, heapAfter := settled()
	t.Logf("goroutines %d, heap %d → %d kB", before, heapBefore>>10, heapAfter>>10)
	require.Less(t, heapAfter, heapBefore+8<<20, "memory leaks")
}

// settled counts goroutines and live heap bytes after a collection.
func settled() (goroutines int, heap uint64) {
	http.DefaultClient.CloseIdleConnections()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

func TestCase18HotSwapKeepsTheOldModel(t *testing.T) {
	tiny, err := os.ReadFile("../../scorer/testdata/tiny.onnx")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "model.onnx")
	require.NoError(t, os.WriteFile(path, tiny, 0o600))
	t.Setenv("LIVEPROOF_SCORER_MODEL", path)
	s := startServer(t)
	swaps := func() float64 { return s.metric("liveproof_scorer_model_swaps_total") }

	require.NoError(t, os.WriteFile(path, tiny[:len(tiny)/2], 0o600))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	time.Sleep(500 * time.Millisecond) // a refusal leaves nothing to wait for but a log line
	require.Equal(t, http.StatusOK, s.api(http.MethodGet, "/readyz", "", nil), "the old model goes on")
	require.Zero(t, swaps())

	require.NoError(t, os.WriteFile(path, tiny, 0o600))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	require.Eventually(t, func() bool { return swaps() == 1 }, 30*time.Second, 50*time.Millisecond)
}

func TestCase18WrongModelIsRefusedAtStart(t *testing.T) {
	needRuntime(t)
	for model, difference := range map[string]string{
		"wrong_schema": "schema", "wrong_shape": "shape", "missing_metadata": "liveproof.", "nan": "NaN",
	} {
		t.Setenv("LIVEPROOF_SCORER_MODEL", "../../scorer/testdata/"+model+".onnx")
		root := newRootCommand()
		root.SetArgs([]string{"serve", "--listen", "127.0.0.1:0", "--udp-port", "0"})
		root.SetOut(io.Discard)
		err := root.ExecuteContext(t.Context())
		require.ErrorContains(t, err, difference, model)
	}
}
