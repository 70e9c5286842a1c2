// Package mlservertest runs MLServer, an inference server of another project, for tests.
package mlservertest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ProgramEnv names MLServer's program. `make test-kserve` installs it and sets the variable; without it the tests are skipped.
const ProgramEnv = "MLSERVER" // not LIVEPROOF_…: those are keys of the configuration

// Model is the name by which servers serve their file.
const Model = "liveproof"

// Server is a running MLServer.
type Server struct {
	Address string // of the Open Inference Protocol over gRPC
	cmd     *exec.Cmd
	ended   chan struct{}
}

// Start serves a file of ONNX until the test ends. runtime is the Python file with the class OnnxRuntime.
func Start(t testing.TB, runtime, model string) *Server {
	t.Helper()
	program := os.Getenv(ProgramEnv)
	if program == "" {
		t.Skip(ProgramEnv + " is not set: `make test-kserve` installs MLServer and runs this test")
	}
	dir, web, rpc := t.TempDir(), freePort(t), freePort(t)
	copyFile(t, filepath.Join(dir, "runtime.py"), runtime)
	absolute, err := filepath.Abs(model)
	fatal(t, err)
	writeJSON(t, filepath.Join(dir, "settings.json"), map[string]any{
		"host": "127.0.0.1", "http_port": web, "grpc_port": rpc, "metrics_port": freePort(t), "parallel_workers": 0, "debug": false,
	})
	writeJSON(t, filepath.Join(dir, "model-settings.json"), map[string]any{
		"name": Model, "implementation": "runtime.OnnxRuntime", "parameters": map[string]string{"uri": absolute, "version": "1"},
	})
	s := &Server{Address: fmt.Sprintf("127.0.0.1:%d", rpc), ended: make(chan struct{})}
	s.cmd = exec.Command(program, "start", dir) //nolint:gosec // the program that the tester names
	log := filepath.Join(dir, "log")
	out, err := os.Create(log)
	fatal(t, err)
	defer func() { _ = out.Close() }()
	s.cmd.Stdout, s.cmd.Stderr = out, out
	fatal(t, s.cmd.Start())
	go func() { defer close(s.ended); _ = s.cmd.Wait() }()
	t.Cleanup(s.Kill)
	s.await(t, web, log)
	return s
}

// Kill ends the server as a crash does (SIGKILL), and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// await waits until the model is ready; Python takes its time to start.
func (s *Server) await(t testing.TB, port int, log string) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		select {
		case <-s.ended:
			text, _ := os.ReadFile(log)
			t.Fatalf("MLServer ended:\n%s", text)
		default:
		}
		if ready(port) {
			return
		}
	}
	text, _ := os.ReadFile(log)
	t.Fatalf("MLServer is not ready after 3 minutes:\n%s", text)
}

// ready asks over HTTP, by hand: only a few packages of this module may use net/http.
func ready(port int) bool {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "GET /v2/models/%s/ready HTTP/1.0\r\n\r\n", Model)
	status, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.Contains(status, " 200 ")
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fatal(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func copyFile(t testing.TB, to, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	fatal(t, err)
	fatal(t, os.WriteFile(to, data, 0o600))
}

func writeJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	fatal(t, err)
	fatal(t, os.WriteFile(path, data, 0o600))
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
