package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof/internal/sandbox"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/scorer"
)

// The values of ops.sandbox.
const (
	sandboxAuto = "auto"
	sandboxOn   = "on"
	sandboxOff  = "off"
)

// newSandboxGauge tells which parts of the sandbox are in force: liveproof_sandbox{kind="landlock"} 1.
func newSandboxGauge(reg prometheus.Registerer) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "liveproof_sandbox", Help: "1 where this part of the sandbox is in force: landlock, landlock_tcp, seccomp, no_new_privs.",
	}, []string{"kind"})
	reg.MustRegister(g)
	showSandbox(g, sandbox.State{})
	return g
}

func showSandbox(g *prometheus.GaugeVec, s sandbox.State) {
	for kind, in := range s.Parts() {
		value := 0.
		if in {
			value = 1
		}
		g.WithLabelValues(kind).Set(value)
	}
}

// confine restricts this process for good. Everything must be open before; run serves afterwards. With ops.sandbox: on an error says
// which part the kernel does not offer.
func (s *service) confine() error {
	if s.cfg.Ops.Sandbox == sandboxOff {
		s.log.Info("the sandbox is off (ops.sandbox)")
		return nil
	}
	policy, err := s.sandboxPolicy()
	if err != nil {
		return err
	}
	state, missing := sandbox.Enter(policy)
	showSandbox(s.sandboxed, state)
	if missing != nil && s.cfg.Ops.Sandbox == sandboxOn {
		return fmt.Errorf("ops.sandbox is on, and a part of the sandbox is %w; ops.sandbox: auto starts with what there is", missing)
	}
	if missing != nil {
		s.log.Warn("a part of the sandbox is not in force; ops.sandbox: on would refuse to start, off gives no warning", "why", missing)
	}
	s.log.Info("sandbox", "landlock_version", state.Landlock, "landlock_tcp", state.Landlock >= sandbox.TCPVersion, "seccomp", state.Seccomp,
		"no_new_privs", state.NoNewPrivs)
	s.log.Debug("sandbox", "read", policy.Read, "write", policy.Write, "devices", policy.Devices, "connect", policy.Connect, "connect_any", policy.ConnectAny)
	return nil
}

// sandboxPolicy is what the server needs once it serves.
func (s *service) sandboxPolicy() (p sandbox.Policy, err error) {
	read := append(s.judge.Paths(), s.cfg.Ingest.TLSCert, s.cfg.Ingest.TLSKey)
	for _, entry := range s.cfg.Results.Keys {
		if !strings.Contains(entry, "-----BEGIN") { // the file of a key, not the key
			read = append(read, entry)
		}
	}
	p.Read = append(systemFiles(os.Getenv), withFolders(read, os.Getenv("HOME"), s.log)...)
	p.Devices = []string{os.DevNull}
	if s.cfg.ONNX.Provider == onnx.ProviderTensorRT {
		p.Write = append(p.Write, s.cfg.ONNX.TensorRTCacheDir)
	}
	if !s.cfg.ONNX.Provider.OnCPU() {
		p.Devices = append(p.Devices, gpuDevices()...)
	}
	ports, known, err := s.cfg.connects()
	p.Connect, p.ConnectAny = ports, !known || s.dialsAnywhere
	return p, err
}

// systemFiles are what the C library, Go's library and the networks' runtime read on demand: shared libraries, names, time zones,
// certificate authorities, the processor, the control group. /etc as a whole is not among them.
func systemFiles(env func(string) string) []string {
	files := []string{
		"/usr", "/lib", "/lib64", "/proc", "/sys/fs/cgroup", "/sys/devices/system", "/dev/urandom", "/dev/zero",
		"/etc/ld.so.cache", "/etc/localtime", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
		"/etc/resolv.conf", "/run/systemd/resolve",
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs", "/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted", "/etc/ca-certificates",
	}
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "ZONEINFO", "LD_LIBRARY_PATH"} {
		files = append(files, filepath.SplitList(env(name))...)
	}
	return slices.DeleteFunc(files, func(path string) bool { return path == "" || filepath.Clean(path) == "/" })
}

// withFolders adds the folder of each file, in which the file may be replaced by renaming another one onto it. A symbolic link counts with
// the file that it leads to. The folders that hold everything are left out, and so is a file that is missing together with its folder.
func withFolders(files []string, home string, log *slog.Logger) (paths []string) {
	for _, file := range files {
		if file == "" {
			continue
		}
		named, err := filepath.Abs(file)
		if err != nil {
			continue // the working directory is gone, and a relative path leads nowhere
		}
		for _, path := range []string{named, target(named)} {
			if path == "/" {
				continue
			}
			paths = append(paths, path)
			switch folder := filepath.Dir(path); {
			case isDir(path):
			case holdsEverything(folder, home):
				log.Info("the sandbox lets only this file be read, not its folder: SIGHUP reads it again if it was written in place, "+
					"not if another one was renamed onto it; a folder of its own permits both", "file", path)
			default:
				paths = append(paths, folder)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// target follows symbolic links.
func target(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	return path
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// holdsEverything tells folders that hold what is not the server's: /, those directly below it, and the home.
func holdsEverything(folder, home string) bool {
	return strings.Count(folder, "/") == 1 || folder == filepath.Clean(home)
}

// gpuDevices are NVIDIA's device files that are there.
func gpuDevices() (found []string) {
	for _, pattern := range []string{"/dev/nvidia*", "/dev/nvidia-caps/*"} {
		some, _ := filepath.Glob(pattern) // it fails for a bad pattern only
		found = append(found, some...)
	}
	return found
}

// connects are the TCP ports that the server connects to: Redis's, the collector's of spans, those of the webhooks' receivers, and that of DNS. known is false where
// some of them cannot be known.
func (c Config) connects() (ports []uint16, known bool, err error) {
	const dns = 53 // for answers that are too long for UDP
	redis, known, err := c.Store.Port()
	if err != nil {
		return nil, false, fmt.Errorf("store.redis: %w", err)
	}
	collector, err := c.Ops.Tracing.Port(os.Getenv)
	if err != nil {
		return nil, false, fmt.Errorf("ops.tracing.endpoint: %w", err)
	}
	ports = []uint16{dns, redis, collector}
	for tenant, receiver := range c.Webhooks.URLs {
		port, err := portOf(receiver)
		if err != nil {
			return nil, false, fmt.Errorf("webhooks.urls of %s: %w", tenant, err)
		}
		ports = append(ports, port)
	}
	slices.Sort(ports)
	ports = slices.DeleteFunc(ports, func(port uint16) bool { return port == 0 })
	if c.Scorer.Backend == scorer.BackendKServe {
		known = false // the target's resolver may name any port
	}
	return slices.Compact(ports), known, nil
}

// portOf is the port of an http or https address.
func portOf(address string) (uint16, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80"}[u.Scheme], "443")
	n, err := strconv.ParseUint(port, 10, 16)
	return uint16(n), err
}
