// Package redistest runs a real redis-server for tests: on a Unix socket, so
// that no port needs to be free, without persistence, stopped with the test.
package redistest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is one redis-server. Stop and Start keep its address; Stop loses its data.
type Server struct {
	t       testing.TB
	socket  string
	options []string
	cmd     *exec.Cmd
}

// Start runs a redis-server until the test ends; it skips the test, by name,
// where redis-server is not installed.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t)
}

// StartCluster runs a cluster of one node, which holds all slots. It refuses
// commands and scripts that touch keys of more than one slot.
func StartCluster(t testing.TB) *Server {
	t.Helper()
	s := start(t, "--cluster-enabled", "yes", "--port", "0", "--cluster-port", "0")
	db := s.client()
	defer db.Close()
	if err := db.ClusterAddSlotsRange(context.Background(), 0, 16383).Err(); err != nil {
		t.Fatalf("CLUSTER ADDSLOTSRANGE: %v", err)
	}
	for range 200 {
		if info, err := db.ClusterInfo(context.Background()).Result(); err == nil && strings.Contains(info, "cluster_state:ok") {
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the cluster was not ready within 10 s")
	return nil
}

func start(t testing.TB, options ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed (apt-get install redis-server)")
	}
	// Not t.TempDir(): a socket's path may have 107 bytes at most.
	dir, err := os.MkdirTemp("", "lp-redis-") //nolint:usetesting // for the reason above
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, socket: filepath.Join(dir, "s"), options: options}
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(dir)
	})
	s.Start()
	return s
}

// URL is the server's address as store.Config.Redis takes it.
func (s *Server) URL() string { return "unix://" + s.socket }

// Start starts the server again after Stop.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", append([]string{
		"--port", "0", "--unixsocket", s.socket,
		"--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.socket),
	}, s.options...)...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("redis-server: %v", err)
	}
	s.waitReady()
}

// Stop kills the server; it does nothing when the server is stopped.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Pause makes the server stop answering for d, as a slow or partitioned one does.
func (s *Server) Pause(d time.Duration) {
	s.t.Helper()
	db := s.client()
	defer db.Close()
	if err := db.Do(context.Background(), "CLIENT", "PAUSE", d.Milliseconds(), "ALL").Err(); err != nil {
		s.t.Fatalf("CLIENT PAUSE: %v", err)
	}
}

// Freeze stops the server's process (SIGSTOP) until thaw; it keeps its data.
func (s *Server) Freeze() (thaw func()) {
	s.t.Helper()
	process := s.cmd.Process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatalf("redis-server: %v", err)
	}
	return func() { _ = process.Signal(syscall.SIGCONT) }
}

func (s *Server) client() *redis.Client {
	return redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket, MaxRetries: -1})
}

func (s *Server) waitReady() {
	s.t.Helper()
	db := s.client()
	defer db.Close()
	for range 200 {
		if db.Ping(context.Background()).Err() == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatal("redis-server did not answer within 10 s")
}
