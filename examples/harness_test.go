package examples

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof/publish"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.Cleanup(func(status int) {
			_ = os.RemoveAll(programs) // "" removes nothing
			os.Exit(status)
		}),
		// net/http keeps idle connections of a client for a while.
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// checkout is the repository's root, where every example runs.
const checkout = ".."

// programs is the folder that built has made.
var programs string

// built makes the programs of these tests, once for all of them; its error is the compiler's.
var built = sync.OnceValue(func() (err error) {
	if programs, err = os.MkdirTemp("", "examples"); err != nil {
		return err
	}
	// With -trimpath the packages that `make build` has compiled are taken from the cache.
	cmd := exec.Command("go", "build", "-trimpath", "-o", programs+"/", "./cmd/liveproof", "./examples/judge", "./examples/backend-go")
	cmd.Dir = checkout
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

func build(t *testing.T) (folder string) {
	t.Helper()
	require.NoError(t, built())
	return programs + "/"
}

// process is a server or a backend that runs until the test ends.
type process struct {
	url string
	key string // the development API key, of a server only
}

// start runs a program and waits for the address that it prints.
func start(t *testing.T, environment []string, program string, args ...string) (p process) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = checkout, append(os.Environ(), environment...), t.Output()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	drained := make(chan struct{})
	t.Cleanup(func() {
		<-drained
		_ = cmd.Wait() // a process that was told to end may have any status
	})
	lines := bufio.NewScanner(out)
	for p.url == "" && lines.Scan() {
		if key, ok := strings.CutPrefix(lines.Text(), "development API key: "); ok {
			p.key = key
		}
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.url = url
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, out)
	}()
	require.NotEmpty(t, p.url, "%s did not start", program)
	return p
}

// startServer runs the real server with sessions in memory.
func startServer(t *testing.T, folder string, environment []string, args ...string) process {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--udp-port", "0"}, args...)
	// A fixed limit: with auto, other load on this machine could make the server refuse a test's session.
	environment = append([]string{"LIVEPROOF_SESSION_MAX_SESSIONS=1000"}, environment...)
	return start(t, environment, folder+"liveproof", args...)
}

// webhookSecret is what Liveproof and its receiver share.
const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// allowDemo lets a backend accept what the committed model has judged, which is a demo.
const allowDemo = "LIVEPROOF_ALLOW_DEMO_MODEL=true"

// start runs an example's backend, which uses the Liveproof server.
func (b backend) start(t *testing.T, folder string, liveproof process, environment ...string) process {
	t.Helper()
	program, args := b.command(t, folder)
	environment = append([]string{
		"LIVEPROOF_URL=" + liveproof.url, "LIVEPROOF_API_KEY=" + liveproof.key, "LIVEPROOF_WEBHOOK_SECRET=" + webhookSecret,
	}, environment...)
	return start(t, environment, program, append(args, "--listen", "127.0.0.1:0")...)
}

// browser is a visitor with a cookie jar of their own.
type browser struct {
	t    *testing.T
	http *http.Client
	site string
}

// visit opens the page, as every visitor does first.
func (p process) visit(t *testing.T) (b browser, page string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b = browser{t, &http.Client{Jar: jar}, p.url}
	status, page := b.do(http.MethodGet, "/")
	require.Equal(t, http.StatusOK, status)
	return b, page
}

func (b browser) do(method, path string) (status int, body string) {
	b.t.Helper()
	sent := ""
	if method == http.MethodPost {
		sent = `{"mode":"onboarding"}` // by the component; backends ignore it
	}
	return b.send(method, path, sent, nil)
}

func (b browser) send(method, path, sent string, headers http.Header) (status int, body string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.site+path, strings.NewReader(sent))
	require.NoError(b.t, err)
	for name := range headers {
		req.Header.Set(name, headers.Get(name))
	}
	resp, err := b.http.Do(req)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return resp.StatusCode, string(raw)
}

// create asks the backend for a session, as the component does.
func (b browser) create() (s publish.Session, body string) {
	b.t.Helper()
	status, body := b.do(http.MethodPost, "/my-backend/liveness-session")
	require.Equal(b.t, http.StatusCreated, status, body)
	require.NoError(b.t, json.Unmarshal([]byte(body), &s))
	return s, body
}

// decision of the backend about a session.
func (b browser) decision(id string) string {
	b.t.Helper()
	status, body := b.do(http.MethodGet, "/my-backend/result/"+id)
	return b.decided(status, body)
}

// bring gives the backend a signed result, as the page does.
func (b browser) bring(result string) (status int, body string) {
	b.t.Helper()
	return b.send(http.MethodPost, "/my-backend/result", result, nil)
}

// decided is the decision that the backend answered.
func (b browser) decided(status int, body string) string {
	b.t.Helper()
	require.Equal(b.t, http.StatusOK, status, body)
	var result struct{ Decision string }
	require.NoError(b.t, json.Unmarshal([]byte(body), &result))
	return result.Decision
}

// result reads the signed result of a session with its client token, as the page does; "" while the session runs.
func (p process) result(t *testing.T, id, clientToken string) string {
	t.Helper()
	client := browser{t, http.DefaultClient, p.url}
	status, body := client.send(http.MethodGet, "/v1/sessions/"+id+"/result", "", http.Header{"Authorization": {"Bearer " + clientToken}})
	if status == http.StatusConflict {
		return ""
	}
	require.Equal(t, http.StatusOK, status, body)
	return body
}

// needRuntime skips where ONNX Runtime's library has not been set up.
func needRuntime(t *testing.T) {
	t.Helper()
	if os.Getenv("LIVEPROOF_ONNXRUNTIME") != "" {
		return
	}
	if _, err := os.Stat(filepath.Join(checkout, ".cache/onnxruntime/libonnxruntime.so")); err != nil {
		t.Skip("ONNX Runtime's library is not set up (make setup)")
	}
}

// python is the environment of `make setup`, which has PyJWT.
func python(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(checkout, ".venv/bin/python"))
	require.NoError(t, err)
	if out, err := exec.Command(program, "-c", "import jwt.algorithms; assert jwt.algorithms.has_crypto").CombinedOutput(); err != nil {
		t.Skipf("%s has no PyJWT with cryptography (make setup): %s", program, out)
	}
	return program
}

// need finds a program, or skips.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	return path
}

// person is a real person before a webcam; noise makes every picture unique when it is looped.
func person(t *testing.T) *publish.Clip {
	t.Helper()
	recording := filepath.Join(os.Getenv("LIVEPROOF_SHARED"), "media/person_A_640x480.mjpeg")
	if _, err := os.Stat(recording); err != nil {
		t.Skipf("%s is absent (set LIVEPROOF_SHARED)", recording)
	}
	return clip(t, encode(t, "-stream_loop", "9", "-f", "mjpeg", "-r", "30", "-i", recording, "-vf", "noise=alls=3:allf=t", "-t", "20"))
}

// nobody is a video in which nothing looks like a face.
func nobody(t *testing.T) string {
	t.Helper()
	return encode(t, "-f", "lavfi", "-i", "gradients=size=640x480:rate=30:speed=0.02:seed=1,noise=alls=8:allf=t,format=yuv420p", "-t", "8")
}

// encode makes an IVF file of VP8 with FFmpeg's arguments for input and filter.
func encode(t *testing.T, args ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "clip.ivf")
	args = append(append([]string{"-v", "error"}, args...), "-an", "-r", "30", "-c:v", "libvpx", "-b:v", "1M", "-g", "60",
		"-deadline", "realtime", "-cpu-used", "8", path)
	out, err := exec.Command(need(t, "ffmpeg"), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

func clip(t *testing.T, path string) *publish.Clip {
	t.Helper()
	c, err := publish.ReadIVF(path)
	require.NoError(t, err)
	return c
}
