package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/internal/sandbox"
	"github.com/liveproof/liveproof/results"
)

// probe is what the server process is to try, and where it writes what came of it.
type probe struct{ Secret, Forbidden string }

// probeOnSignal tries at SIGUSR1, inside the server process, what an attacker would try who has taken it over. It logs each result.
func probeOnSignal(text string) {
	if text == "" {
		return
	}
	var p probe
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		panic(err)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for range asked {
		_, read := os.ReadFile(p.Secret)
		_, configuration := os.ReadFile("/etc/passwd")
		for what, err := range map[string]error{
			"read": read, "read /etc/passwd": configuration, "write": os.WriteFile(filepath.Join(p.Forbidden, "new"), []byte("x"), 0o600),
			"exec": syscall.Exec("/bin/true", []string{"true"}, nil), "start": exec.Command("/bin/true").Run(),
		} {
			fmt.Fprintf(os.Stderr, "probe %s: %v\n", what, err)
		}
		fmt.Fprintln(os.Stderr, "probe done")
	}
}

// needSandbox skips where this kernel lacks a part of the sandbox. It asks a process of its own.
func needSandbox(t *testing.T, p *process) {
	t.Helper()
	for kind := range (sandbox.State{}).Parts() {
		if p.metric(`liveproof_sandbox{kind="`+kind+`"}`) != 1 {
			t.Skipf("this kernel does not offer %s (/sys/kernel/security/lsm, /proc/sys/kernel/seccomp): %v", kind, p.log.lines("sandbox"))
		}
	}
}

// TestSandboxedServer: a server in its sandbox judges a whole session and takes a new model and new keys at SIGHUP, each renamed onto the
// old file; and whoever has taken it over can start no program, and read and write nothing else.
func TestSandboxedServer(t *testing.T) {
	t.Parallel()
	clip := person(t, "person_A_640x480.mjpeg", "20")
	db := redistest.Start(t)
	whole, half := tinyModels(t)
	folder, secret, forbidden := t.TempDir(), filepath.Join(t.TempDir(), "secret"), t.TempDir()
	model, key := filepath.Join(folder, "model.onnx"), filepath.Join(folder, "key.pem")
	require.NoError(t, os.WriteFile(model, whole, 0o600))
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	require.NoError(t, os.WriteFile(key, newKey(t), 0o600))
	task, err := json.Marshal(probe{Secret: secret, Forbidden: forbidden})
	require.NoError(t, err)
	p := startProcess(t, db.URL(), "LIVEPROOF_OPS_SANDBOX=auto", "LIVEPROOF_SCORER_MODEL="+model,
		"LIVEPROOF_RESULTS_KEYS="+key, "LIVEPROOF_PORT_TEST_PROBE="+string(task))
	needSandbox(t, p)

	session := func() {
		made := p.create("")
		defer p.publish(made, clip)()
		v := p.await(made.ID, "the end", sessionView.terminal)
		require.Equal(t, "live", v.Verdict, "%+v", v)
	}
	session()
	require.NoError(t, os.WriteFile(model+".new", half, 0o600))
	require.NoError(t, os.Rename(model+".new", model))
	require.NoError(t, os.WriteFile(key+".new", newKey(t), 0o600))
	require.NoError(t, os.Rename(key+".new", key))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return p.metric("liveproof_scorer_model_swaps_total") == 1 }, 30*time.Second, 50*time.Millisecond)
	require.Contains(t, p.log.all(), "the keys of results were read again")
	session()

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGUSR1))
	require.Eventually(t, func() bool { return slices.Contains(p.log.split(), "probe done\n") }, 30*time.Second, 50*time.Millisecond)
	log := p.log.all()
	require.Contains(t, log, "probe read: open "+secret+": permission denied\n")
	require.Contains(t, log, "probe read /etc/passwd: open /etc/passwd: permission denied\n")
	require.Contains(t, log, "probe write: open "+filepath.Join(forbidden, "new")+": permission denied\n")
	require.Contains(t, log, "probe exec: operation not permitted\n")
	require.Contains(t, log, "probe start: fork/exec /bin/true: operation not permitted\n")
	require.NotContains(t, log, "panic")
	session()
}

func newKey(t *testing.T) []byte {
	key, err := results.NewKey()
	require.NoError(t, err)
	return []byte(key)
}

// TestSandboxWithTLS: the certificate is read after the sandbox is in force. ops.sandbox: on is met, and every execution provider loads.
func TestSandboxWithTLS(t *testing.T) {
	db := redistest.Start(t)
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=localhost", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		t.Skipf("openssl makes no certificate: %v %s", err, out)
	}
	p := startProcess(t, db.URL(), "LIVEPROOF_OPS_SANDBOX=auto", "LIVEPROOF_ONNX_PROVIDER=auto",
		"LIVEPROOF_INGEST_TLS_CERT="+cert, "LIVEPROOF_INGEST_TLS_KEY="+key)
	needSandbox(t, p)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // its own certificate
	defer client.CloseIdleConnections()
	answer, err := client.Get(p.url + "/readyz")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP)) // the same model again, now through the trial of providers
	require.Eventually(t, func() bool { return p.metric("liveproof_scorer_model_swaps_total") == 1 }, time.Minute, 50*time.Millisecond)
}

func TestWhatTheSandboxNames(t *testing.T) {
	folder, home := t.TempDir(), t.TempDir()
	real1 := filepath.Join(t.TempDir(), "real.onnx")
	require.NoError(t, os.WriteFile(real1, nil, 0o600))
	link := filepath.Join(folder, "link.onnx")
	require.NoError(t, os.Symlink(real1, link))
	log := slog.New(slog.DiscardHandler)
	require.ElementsMatch(t, []string{folder, link, real1, filepath.Dir(real1)}, withFolders([]string{link, ""}, home, log))
	require.Equal(t, []string{filepath.Join(home, "x.pem")}, withFolders([]string{filepath.Join(home, "x.pem")}, home, log), "not the whole home")
	require.Equal(t, []string{"/etc/x.pem"}, withFolders([]string{"/etc/x.pem"}, home, log), "not all of /etc")
	require.Equal(t, []string{"/x.pem"}, withFolders([]string{"/x.pem", "/"}, home, log), "not everything")
	require.Equal(t, []string{folder}, withFolders([]string{folder}, home, log))
	env := map[string]string{"LD_LIBRARY_PATH": "/opt/a:/opt/b:", "SSL_CERT_DIR": "/"}
	files := systemFiles(func(name string) string { return env[name] })
	require.Subset(t, files, []string{"/opt/a", "/opt/b"})
	for _, never := range []string{"", "/", "/etc", "/home", "/root", "/var", "/tmp", "/etc/ssl", "/dev"} {
		require.NotContains(t, files, never)
	}
}

func TestWhereTheSandboxConnects(t *testing.T) {
	cfg := DefaultConfig()
	for _, c := range []struct {
		redis string
		urls  map[string]string
		want  []uint16
	}{
		{"", nil, []uint16{53}},
		{"redis://cache:7000/1", map[string]string{"a": "https://a.example/x", "b": "https://b.example:8443"}, []uint16{53, 443, 7000, 8443}},
		{"rediss://cache", map[string]string{"a": "http://127.0.0.1/x"}, []uint16{53, 80, 6379}},
		{"unix:///run/redis.sock", nil, []uint16{53}},
	} {
		cfg.Store.Redis, cfg.Webhooks.URLs = c.redis, c.urls
		ports, known, err := cfg.connects()
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, c.want, ports, c.redis)
	}
	cfg.Store.Redis = "redis-cluster://a:7000,b:7000" // its servers name each other
	_, known, err := cfg.connects()
	require.NoError(t, err)
	require.False(t, known)
}

// TestSandboxKey: words that YAML 1.1 takes for booleans are words here.
func TestSandboxKey(t *testing.T) {
	for text, good := range map[string]bool{"auto": true, "on": true, "off": true, "true": false, "strict": false} {
		cfg := DefaultConfig()
		require.NoError(t, parseConfig([]byte("ops: {sandbox: "+text+"}"), &cfg))
		err := cfg.Validate()
		if good {
			require.NoError(t, err)
			require.Equal(t, text, cfg.Ops.Sandbox)
			continue
		}
		require.ErrorContains(t, err, "ops.sandbox")
	}
}
