package helm

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
)

const apiKey = "bank-a:0123456789abcdef"

// TestServerTakesTheChartsConfiguration starts the program with the file, the variables and the arguments of a rendered pod: it is ready, tells
// clients the pod's own address, answers to the API's name and no other, and drains at SIGTERM.
func TestServerTakesTheChartsConfiguration(t *testing.T) {
	program := os.Getenv("LIVEPROOF_BIN")
	if program == "" {
		t.Skip("LIVEPROOF_BIN is not set: `make test-charts` sets it")
	}
	redis := startRedis(t)
	for _, network := range []string{"hostPorts", "hostNetwork", "stunner"} {
		t.Run(network, func(t *testing.T) {
			ports := freePorts(t, 3)
			all := decoded(t, fmt.Sprintf("media: {network: %s, drainSeconds: 1, ports: {https: %d, webrtc: %d, metrics: %d, public: 8443}}\n"+
				"config: {webrtc: {turn_urls: ['turn:192.0.2.1:3478']}, webhooks: {urls: {bank-a: 'https://bank.example/hook'}}}", network, ports[0], ports[1], ports[2]))
			p := newPod(t, all, redis)
			p.start(t, program)
			p.await(t, fmt.Sprintf("https://127.0.0.1:%d/readyz", ports[0]))

			name := map[string]string{"stunner": "liveproof-media-0"}[network]
			if name == "" {
				name = "node-1"
			}
			status, body := p.create(t, ports[0], "liveness.example.org")
			require.Equal(t, http.StatusCreated, status, body)
			require.Contains(t, body, fmt.Sprintf("https://%s.media.example.org:8443/", name))
			status, _ = p.create(t, ports[0], "elsewhere.example.org")
			require.Equal(t, http.StatusMisdirectedRequest, status)
			p.await(t, fmt.Sprintf("http://127.0.0.1:%d/metrics", ports[2]))
			p.stop(t)
		})
	}
}

// pod is the program as Kubernetes would start the media container.
type pod struct {
	args, env []string
	cmd       *exec.Cmd
	ended     chan error
	log       string // a file
	client    *http.Client
}

func newPod(t *testing.T, all objects, redis string) *pod {
	t.Helper()
	dir := t.TempDir()
	config := strings.ReplaceAll(get[*core.ConfigMap](t, all, "liveproof-config").Data["liveproof.yaml"], "/etc/liveproof/tls", dir)
	file := filepath.Join(dir, "liveproof.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	roots := writeCertificate(t, dir)
	secret := map[string]string{
		"api-keys": apiKey, "token-secret": strings.Repeat("s", 32), "redis": redis, "turn-secret": "turn", "webhook-secrets": "{bank-a: whsec_" + strings.Repeat("MDEy", 10) + "}",
	}
	c := server(t, all.templates()["liveproof-media"])
	p := &pod{log: filepath.Join(dir, "log"), env: environment(c, secret)}
	for _, arg := range c.Args {
		p.args = append(p.args, strings.ReplaceAll(arg, "/etc/liveproof/liveproof.yaml", file))
	}
	p.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "liveness.example.org"}, DisableKeepAlives: true}}
	return p
}

// environment is the container's: fields of the pod, keys of the secret, and $(NAME) replaced as Kubernetes does it.
func environment(c core.Container, secret map[string]string) (env []string) {
	fields := map[string]string{"metadata.name": "liveproof-media-0", "metadata.namespace": namespace, "spec.nodeName": "node-1", "status.hostIP": "127.0.0.1"}
	known := map[string]string{}
	for _, e := range c.Env {
		value := e.Value
		for name, v := range known {
			value = strings.ReplaceAll(value, "$("+name+")", v)
		}
		if from := e.ValueFrom; from != nil && from.FieldRef != nil {
			value = fields[from.FieldRef.FieldPath]
		} else if from != nil && from.SecretKeyRef != nil {
			given, there := secret[from.SecretKeyRef.Key]
			if !there {
				continue // optional
			}
			value = given
		}
		known[e.Name] = value
		env = append(env, e.Name+"="+value)
	}
	// What the image sets.
	return append(env, "PATH="+os.Getenv("PATH"), "LIVEPROOF_ONNXRUNTIME="+os.Getenv("LIVEPROOF_ONNXRUNTIME"), "LIVEPROOF_MODELS="+imageModels())
}

func imageModels() string {
	dir, err := filepath.Abs("../../models")
	if err != nil {
		panic(err)
	}
	return dir
}

func (p *pod) start(t *testing.T, program string) {
	t.Helper()
	p.cmd = exec.Command(program, p.args...)
	log, err := os.Create(p.log)
	require.NoError(t, err)
	defer log.Close()
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, log, log
	require.NoError(t, p.cmd.Start())
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
}

// stop is what the kubelet does after the hook.
func (p *pod) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-p.ended, "%s", p.logged(t))
	require.Contains(t, p.logged(t), `"msg":"draining"`, "the log is JSON, as the values say")
}

func (p *pod) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	require.NoError(t, err)
	return string(text)
}

// await asks until the answer is 200; models take their time to load.
func (p *pod) await(t *testing.T, url string) {
	t.Helper()
	var last error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		select {
		case err := <-p.ended:
			require.Failf(t, "the program ended", "%v:\n%s", err, p.logged(t))
		default:
		}
		answer, err := p.client.Get(url)
		if last = err; err != nil {
			continue
		}
		answer.Body.Close()
		if last = fmt.Errorf("%s", answer.Status); answer.StatusCode == http.StatusOK {
			return
		}
	}
	require.NoError(t, last, "%s:\n%s", url, p.logged(t))
}

func (p *pod) create(t *testing.T, port int, host string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, fmt.Sprintf("https://127.0.0.1:%d/v1/sessions", port), strings.NewReader(`{"mode":"onboarding"}`))
	require.NoError(t, err)
	request.Host = host
	request.Header.Set("Authorization", "Bearer "+strings.TrimPrefix(apiKey, "bank-a:"))
	request.Header.Set("Content-Type", "application/json")
	answer, err := p.client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.True(t, json.Valid(raw))
	return answer.StatusCode, string(raw)
}

func startRedis(t *testing.T) (address string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	port := freePorts(t, 1)[0]
	cmd := exec.Command(program, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return fmt.Sprintf("redis://127.0.0.1:%d/0", port)
}

func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// writeCertificate makes tls.crt and tls.key as tls.secret has them.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"liveness.example.org", "*.media.example.org"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots.AddCert(certificate)
	return roots
}
