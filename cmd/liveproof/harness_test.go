package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof/publish"
)

func TestMain(m *testing.M) {
	// A fixed limit: with auto, other load on this machine could make the server refuse a test's session.
	_ = os.Setenv("LIVEPROOF_SESSION_MAX_SESSIONS", "1000")
	// No trial of execution providers, which costs seconds for each server and each file; packages scorer and onnx test it.
	_ = os.Setenv("LIVEPROOF_ONNX_PROVIDER", "cpu")
	// The sandbox would stay with this process. Tests that want it start processes of their own (sandbox_test.go).
	if os.Getenv("LIVEPROOF_OPS_SANDBOX") == "" {
		_ = os.Setenv("LIVEPROOF_OPS_SANDBOX", "off")
	}
	goleak.VerifyTestMain(m,
		// net/http keeps idle connections of the default client for a while.
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// fewOf returns the first n of a table's rows, or all of them with TEST_THOROUGH=1 (make test-thorough).
func fewOf[T any](rows []T, n int) []T {
	if os.Getenv("TEST_THOROUGH") != "" {
		return rows
	}
	return rows[:n]
}

// server is the whole program, run in this process on free ports.
type server struct {
	t    *testing.T
	url  string
	ops  string // address of the metrics
	key  string
	stop context.CancelFunc // as SIGTERM does
	done chan struct{}
	code int
	log  logBuffer
}

// logBuffer keeps what a server logs.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// all is the whole log, and split its lines.
func (b *logBuffer) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) split() []string { return slices.Collect(strings.Lines(b.all())) }

// lines returns the lines of warnings, of errors and of those that contain the text.
func (b *logBuffer) lines(text string) (found []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.text.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") || strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// startServer runs `liveproof serve args…` until the test ends.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	needRuntime(t)
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{t: t, stop: cancel, done: make(chan struct{})}
	root := newRootCommand()
	root.SetArgs(append([]string{"serve", "--listen", "127.0.0.1:0", "--udp-port", "0"}, args...))
	root.SetOut(writer)
	root.SetErr(io.MultiWriter(testWriter{t}, &s.log))
	go func() {
		defer close(s.done)
		err := root.ExecuteContext(ctx)
		_ = writer.CloseWithError(io.EOF)
		if err != nil {
			s.code = exitFailure
			t.Logf("serve: %v", err)
		}
	}()
	t.Cleanup(s.close)
	s.readAnnouncement(reader)
	return s
}

func (s *server) readAnnouncement(out io.Reader) {
	s.t.Helper()
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if key, ok := strings.CutPrefix(lines.Text(), "development API key: "); ok {
			s.key = key
		}
		if url, ok := strings.CutPrefix(lines.Text(), "metrics at "); ok {
			s.ops = url
		}
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.url = url
		}
	}
	require.NotEmpty(s.t, s.url, "the server did not start")
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

// close stops the server and waits for it.
func (s *server) close() {
	s.stop()
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		s.t.Error("the server did not end within a minute")
	}
	http.DefaultClient.CloseIdleConnections()
}

// testWriter logs while the test runs and drops what comes later.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	defer func() { _ = recover() }() // t.Log panics after the test's end
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// api calls the sessions API and decodes the answer.
func (s *server) api(method, path, body string, into any) int {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	if into != nil && len(raw) > 0 {
		require.NoError(s.t, json.Unmarshal(raw, into), "%s", raw)
	}
	return resp.StatusCode
}

type createdSession struct {
	ID          string `json:"id"`
	ClientToken string `json:"client_token"`
	WHIPURL     string `json:"whip_url"`
}

type sessionView struct {
	State   string   `json:"state"`
	Verdict string   `json:"verdict"`
	Score   float64  `json:"score"`
	Reasons []string `json:"reasons"`
	Frames  struct {
		Received, Decoded, Sampled, Scored, Dropped int
	} `json:"frames"`
	Detector string `json:"detector"`
	Model    struct {
		Name string `json:"name"`
		Demo bool   `json:"demo"`
	} `json:"model"`
}

func (v sessionView) terminal() bool {
	return v.State == "decided" || v.State == "expired" || v.State == "failed"
}

func (s *server) create(body string) createdSession {
	s.t.Helper()
	var made createdSession
	require.Equal(s.t, http.StatusCreated, s.api(http.MethodPost, "/v1/sessions", body, &made))
	return made
}

func (s *server) read(id string) (v sessionView) {
	s.t.Helper()
	require.Equal(s.t, http.StatusOK, s.api(http.MethodGet, "/v1/sessions/"+id, "", &v))
	return v
}

// await polls until the session satisfies want.
func (s *server) await(id, what string, want func(sessionView) bool) (v sessionView) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		v = s.read(id)
		return want(v)
	}, 90*time.Second, 50*time.Millisecond, what)
	return v
}

// publish connects a peer over WHIP and sends the clip until it, the test or stop ends.
func (s *server) publish(made createdSession, clip *publish.Clip) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	session := publish.Session{ID: made.ID, ClientToken: made.ClientToken, WHIPURL: made.WHIPURL}
	p, err := publish.Connect(ctx, publish.Options{}, session, clip)
	require.NoError(s.t, err)
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Send(ctx, clip) })
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		_ = p.Abandon()
	})
	s.t.Cleanup(stop)
	return stop
}

// needRuntime skips where ONNX Runtime's library has not been set up.
func needRuntime(t testing.TB) {
	t.Helper()
	if os.Getenv("LIVEPROOF_ONNXRUNTIME") != "" {
		return
	}
	if _, err := os.Stat("../../.cache/onnxruntime/libonnxruntime.so"); err != nil {
		t.Skip("ONNX Runtime's library is not set up (make setup)")
	}
}

// shared finds material that is not part of the repository, or skips.
func shared(t testing.TB, name string) string {
	t.Helper()
	path, ok := findShared(name)
	if !ok {
		t.Skipf("%s is absent (set LIVEPROOF_SHARED)", name)
	}
	return path
}

func findShared(name string) (path string, ok bool) {
	root := os.Getenv("LIVEPROOF_SHARED")
	path = filepath.Join(root, name)
	_, err := os.Stat(path)
	return path, root != "" && err == nil
}

// encode makes a clip of VP8 with ffmpeg's arguments for input and filter.
func encode(t testing.TB, args ...string) *publish.Clip {
	t.Helper()
	clip, err := publish.ReadIVF(encodeIVF(t, args...))
	require.NoError(t, err)
	return clip
}

// encodeIVF is encode that leaves the clip in a file.
func encodeIVF(t testing.TB, args ...string) (path string) {
	t.Helper()
	return encodeAs(t, []string{"-r", "30", "-b:v", "1M", "-g", "60"}, args...)
}

// encodeAs is encodeIVF with arguments for the encoder.
func encodeAs(t testing.TB, encoder []string, args ...string) (path string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	path = filepath.Join(t.TempDir(), "clip.ivf")
	command := slices.Concat([]string{"-v", "error"}, args, []string{"-an", "-c:v", "libvpx",
		"-threads", "1", // more wait in busy loops on a machine that has other work
		"-deadline", "realtime", "-cpu-used", "8"}, encoder, []string{"-f", "ivf", path})
	out, err := exec.Command("ffmpeg", command...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// person is a real person before a webcam; noise makes every picture unique when it is looped.
func person(t testing.TB, name string, seconds string) *publish.Clip {
	return encode(t, personArgs(t, name, seconds)...)
}

func personArgs(t testing.TB, name string, seconds string) []string {
	return []string{"-stream_loop", "9", "-f", "mjpeg", "-r", "30", "-i", shared(t, "media/"+name),
		"-vf", "noise=alls=3:allf=t", "-t", seconds}
}

// emptyPicture is a slowly turning gradient: nothing in it looks like a face, to the Haar cascade neither.
const emptyPicture = "gradients=size=160x120:rate=30:speed=0.02:seed=1"

// nobody is an emptyPicture with noise.
func nobody(t testing.TB, seconds string) *publish.Clip {
	return encode(t, "-f", "lavfi", "-i", emptyPicture+",scale=640:480,noise=alls=8:allf=t,format=yuv420p", "-t", seconds)
}

// metric reads one sample of the metrics by its exact name and labels; 0 when it is absent.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	resp, err := http.Get(s.ops)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			require.NoError(s.t, err)
			return v
		}
	}
	return 0
}
