package main

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
)

const (
	processAddress = "127.0.0.1:0"
	processKey     = "bank-a:0123456789abcdef"
)

// TestServerProcess is not a test but the server process that tests kill.
func TestServerProcess(t *testing.T) {
	url := os.Getenv("LIVEPROOF_PORT_TEST_REDIS") // a name that the configuration ignores
	if url == "" {
		t.Skip("it is the child process of TestKilledServer")
	}
	go probeOnSignal(os.Getenv("LIVEPROOF_PORT_TEST_PROBE"))
	listen := cmp.Or(os.Getenv("LIVEPROOF_PORT_TEST_LISTEN"), processAddress)
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM) // as main does
	code := run(ctx, []string{"serve", "--listen", listen, "--ops-listen", processAddress, "--udp-port", "0", "--redis", url})
	stop()
	os.Exit(code)
}

// process is a server in a process of its own.
type process struct {
	*server
	cmd *exec.Cmd
}

// startProcess starts a server; environ adds to its environment.
func startProcess(t *testing.T, redis string, environ ...string) *process {
	t.Helper()
	needRuntime(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerProcess$")
	cmd.Env = append(os.Environ(), "LIVEPROOF_PORT_TEST_REDIS="+redis, "LIVEPROOF_INGEST_API_KEYS="+processKey,
		// θ makes the clip live, whatever the model's scores are.
		"LIVEPROOF_VERDICT_THRESHOLD=0.002", "LIVEPROOF_VERDICT_MARGIN=0.001", "LIVEPROOF_VERDICT_HYSTERESIS=0.001")
	cmd.Env = append(cmd.Env, environ...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, key, _ := strings.Cut(processKey, ":")
	p := &process{server: &server{t: t, key: key}, cmd: cmd}
	cmd.Stderr = io.MultiWriter(testWriter{t}, &p.log)
	require.NoError(t, cmd.Start())
	var drained sync.WaitGroup
	t.Cleanup(drained.Wait) // after kill: the last to be registered is the first to run
	t.Cleanup(p.kill)
	for lines := bufio.NewScanner(out); p.url == "" && lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.url = url
		}
		if url, ok := strings.CutPrefix(lines.Text(), "metrics at "); ok {
			p.ops = url
		}
	}
	require.NotEmpty(t, p.url, "the server did not start")
	drained.Go(func() { _, _ = io.Copy(io.Discard, out) })
	return p
}

// kill is kill -9.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
		_ = p.cmd.Wait()
	}
}

// TestKilledServer: two server processes share one Redis. One runs a call, whose client came to the other one first; it is
// live, and its server is killed. The other one reads pending within 5 s and ends the
// session within 30 s.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	clip := person(t, "person_A_640x480.mjpeg", "20")
	db := redistest.Start(t)
	killed, other := startNode(t, db.URL()), startNode(t, db.URL())
	made := killed.create(`{"mode":"call"}`)
	leave := killed.publish(other.reached(made), clip)
	defer leave()
	live := func(v sessionView) bool { return v.State == "streaming" && v.Verdict == "live" }
	other.await(made.ID, "live, as every server sees it", live)
	time.Sleep(5 * time.Second)
	require.True(t, live(other.read(made.ID)), "the lease is renewed")

	killed.kill()
	begun := time.Now()
	v := other.await(made.ID, "pending", func(v sessionView) bool { return v.Verdict == "pending" })
	require.Equal(t, "streaming", v.State)
	require.LessOrEqual(t, time.Since(begun), 5*time.Second)
	v = other.await(made.ID, "the end", sessionView.terminal)
	t.Logf("ended after %v: %+v", time.Since(begun).Round(time.Second/10), v)
	require.LessOrEqual(t, time.Since(begun), 30*time.Second)
	require.Equal(t, "expired", v.State)
	require.Equal(t, "inconclusive", v.Verdict)
	require.Equal(t, []string{"server_lost"}, v.Reasons)
	require.Positive(t, v.Frames.Scored, "what was counted stays")
}

// TestUnconnectedSessionExpires: the sweep of any server ends a session that
// nobody connects to.
func TestUnconnectedSessionExpires(t *testing.T) {
	db := redistest.Start(t)
	t.Setenv("LIVEPROOF_SESSION_TOKEN_TTL", "1s")
	s := startServer(t, "--redis", db.URL())
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = s.create("").ID
	}
	for _, id := range ids {
		v := s.await(id, "expired", sessionView.terminal)
		require.Equal(t, "expired", v.State)
		require.Equal(t, []string{"no_media"}, v.Reasons)
	}
}
