package main

import (
	"fmt"
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

	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/publish"
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
	stored, err := client.HGetAll(t.Context(), "liveproof:{"+made.ID+"}:session").Result()
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

func TestTabClosedMidSession(t *testing.T) {
	s := startServer(t)
	made := s.create(`{"mode":"onboarding","deadline_s":60}`)
	leave := s.publish(made, nobody(t, "12"))
	s.await(made.ID, "media", func(v sessionView) bool { return v.Frames.Sampled > 2 })
	leave()
	v := s.await(made.ID, "a terminal state", sessionView.terminal)
	require.Equal(t, "inconclusive", v.Verdict)
	require.NotEqual(t, "decided", v.State)
}

func TestRedisStoppedAndStartedMidSession(t *testing.T) {
	t.Parallel()
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

func TestShutdownEndsEverySession(t *testing.T) {
	db := redistest.Start(t)
	t.Setenv("LIVEPROOF_SESSION_DRAIN_TIMEOUT", "1s")
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
	stored, err := client.HGetAll(t.Context(), "liveproof:{"+made.ID+"}:session").Result()
	require.NoError(t, err)
	require.Equal(t, "inconclusive", stored["verdict"])
	require.Contains(t, []string{"expired", "failed", "decided"}, stored["state"])
	require.Contains(t, stored["result"], "server_shutdown")
}

// TestVerdictOutlastsTheOutage: Redis stands still while a call ends; when it
// goes on, the verdict is written unchanged.
func TestVerdictOutlastsTheOutage(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "20")
	t.Setenv("LIVEPROOF_PIPELINE_RECORD_TIMEOUT", "200ms")
	t.Setenv("LIVEPROOF_VERDICT_MARGIN", "0.001")
	t.Setenv("LIVEPROOF_VERDICT_HYSTERESIS", "0.001")
	// Whatever the model thinks of the clip: θ makes it one or the other.
	for want, threshold := range map[string]string{"live": "0.002", "spoof": "0.998"} {
		t.Run(want, func(t *testing.T) {
			t.Setenv("LIVEPROOF_VERDICT_THRESHOLD", threshold)
			db := redistest.Start(t)
			s := startServer(t, "--redis", db.URL())
			made := s.create(`{"mode":"call"}`)
			leave := s.publish(made, clip)
			s.await(made.ID, want, func(v sessionView) bool { return v.Verdict == want })
			thaw := db.Freeze()
			leave()
			require.Eventually(t, func() bool {
				return s.metric(`liveproof_session_end_writes_total{result="retry"}`) >= 1
			}, 60*time.Second, 50*time.Millisecond, "the end is not written at once")
			thaw()
			v := s.await(made.ID, "a terminal state", sessionView.terminal)
			t.Logf("%+v", v)
			require.Equal(t, "decided", v.State)
			require.Equal(t, want, v.Verdict)
			require.NotContains(t, v.Reasons, "internal_error")
			require.Positive(t, v.Frames.Scored)
		})
	}
}

// TestFiftySessionsLeaveNothingBehind: goroutines and memory are back at
// the baseline after sessions that were decoded, sampled and, with a person, scored.
func TestFiftySessionsLeaveNothingBehind(t *testing.T) {
	clip, scored := anybody(t, "8")
	s := startServer(t)
	const atOnce = 5
	round := func() {
		var made [atOnce]createdSession
		var leave [atOnce]func()
		sampled, judged := 0, 0
		for i := range made {
			made[i] = s.create(`{"mode":"onboarding","deadline_s":3}`)
			leave[i] = s.publish(made[i], clip)
		}
		for i := range made {
			v := s.await(made[i].ID, "a terminal state", sessionView.terminal)
			require.Equal(t, "decided", v.State, "%+v", v)
			require.Positive(t, v.Frames.Decoded)
			sampled, judged = sampled+v.Frames.Sampled, judged+v.Frames.Scored
			leave[i]()
		}
		// Counted over all five: on a busy machine one of them may get nothing in its
		// three seconds.
		require.Positive(t, sampled)
		require.Equal(t, scored, judged > 0)
	}
	for range 4 { // pools, caches and arenas fill, and the shadow memory of the race detector
		round()
	}
	before := settled(t)
	for range 10 {
		round()
	}
	require.Eventually(t, func() bool { return settled(t).goroutines <= before.goroutines+2 },
		30*time.Second, 200*time.Millisecond, "goroutines leak")
	after := settled(t)
	t.Logf("scored: %v; goroutines %d → %d, heap %d → %d kB, RSS %d → %d kB", scored, before.goroutines, after.goroutines,
		before.heap>>10, after.heap>>10, before.rss>>10, after.rss>>10)
	require.Less(t, after.heap, before.heap+8<<20, "Go memory leaks")
	require.Less(t, after.rss, before.rss+72<<20, "memory outside Go leaks") // one decoder a session would be more
}

// anybody is a person where the recordings are, else nobody.
func anybody(t *testing.T, seconds string) (clip *publish.Clip, hasFace bool) {
	const name = "person_A_640x480.mjpeg"
	if _, ok := findShared("media/" + name); !ok {
		return nobody(t, seconds), false
	}
	return person(t, name, seconds), true
}

// resources of this process at one time; heap and rss in bytes.
type resources struct {
	goroutines int
	heap, rss  uint64
}

// settled measures after a collection.
func settled(t *testing.T) resources {
	http.DefaultClient.CloseIdleConnections()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var size, resident uint64 // pages
	_, err = fmt.Sscan(string(statm), &size, &resident)
	require.NoError(t, err)
	return resources{runtime.NumGoroutine(), m.HeapAlloc, resident * uint64(os.Getpagesize())}
}

func TestHotSwapKeepsTheOldModel(t *testing.T) {
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

func TestWrongModelIsRefusedAtStart(t *testing.T) {
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
