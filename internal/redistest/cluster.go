package redistest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// node is a redis-server on a port of the loopback address.
type node struct {
	t    testing.TB
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
}

// startNode runs a server until the test ends.
func startNode(t testing.TB, program string, args ...string) *node {
	t.Helper()
	logging.Disable() // the client says of each server that is killed that it is gone
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(program + " is not installed (apt-get install redis-server redis-sentinel)")
	}
	n := &node{t: t, dir: t.TempDir(), port: FreePort(t)}
	n.args = append([]string{program}, args...)
	n.start()
	t.Cleanup(n.kill)
	return n
}

func (n *node) start() {
	n.t.Helper()
	n.cmd = exec.Command(n.args[0], append(n.args[1:], "--port", strconv.Itoa(n.port), "--bind", "127.0.0.1", "--dir", n.dir)...)
	log, err := os.Create(filepath.Join(n.dir, "log"))
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatalf("%s: %v", n.args[0], err)
	}
	db := n.client()
	defer db.Close()
	within(n.t, "the server answers", func() bool { return db.Ping(context.Background()).Err() == nil })
}

// kill ends the server as a crash does (SIGKILL).
func (n *node) kill() {
	if n.cmd != nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
		n.cmd = nil
	}
}

func (n *node) address() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

func (n *node) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: n.address(), MaxRetries: -1})
}

// ask sends one command.
func (n *node) ask(args ...any) (string, error) {
	db := n.client()
	defer db.Close()
	answer, err := db.Do(context.Background(), args...).Result()
	return fmt.Sprint(answer), err
}

// FreePort is a TCP port that is free now, and so is the port beside it. It is below those that the kernel gives to outgoing connections, so a server that is
// killed finds it free again.
func FreePort(t testing.TB) int {
	for range 100 {
		port := 10_000 + 2*rand.IntN(10_000)
		if isFree(port) && isFree(port+1) {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// within waits for a condition; the test fails after 2 minutes, which is long enough for a machine that is very busy.
func within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within 2 minutes: %s", what)
}

// Cluster is a Redis Cluster of three masters with a replica each.
type Cluster struct {
	t     testing.TB
	nodes []*node
}

// StartShards runs a cluster of six servers until the test ends.
func StartShards(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	create := []string{"--cluster", "create"}
	for range 6 {
		n := startNode(t, "redis-server", "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--save", "", "--appendonly", "no",
			"--repl-diskless-sync-delay", "0")
		c.nodes = append(c.nodes, n)
		create = append(create, n.address())
	}
	c.cli(append(create, "--cluster-replicas", "1", "--cluster-yes")...)
	within(t, "each node knows all slots", func() bool {
		for _, n := range c.nodes {
			if info, err := n.ask("CLUSTER", "INFO"); err != nil || !strings.Contains(info, "cluster_state:ok") {
				return false
			}
		}
		return true
	})
	return c
}

// URL is the cluster's address as store.Config.Redis takes it: three of the nodes are enough to find the others.
func (c *Cluster) URL() string {
	return fmt.Sprintf("redis-cluster://%s,%s,%s", c.nodes[0].address(), c.nodes[2].address(), c.nodes[5].address())
}

// Kill ends a master as a crash does, and waits until its replica has taken over.
func (c *Cluster) Kill() {
	c.t.Helper()
	for _, n := range c.nodes {
		if role, err := n.ask("ROLE"); n.cmd == nil || err != nil || !strings.HasPrefix(role, "[master") || !strings.Contains(role, "127.0.0.1") {
			continue // no master, or one without a replica
		}
		n.kill()
		within(c.t, "the replica has taken over", func() bool { return c.know(n) })
		return
	}
	c.t.Fatal("no master with a replica is left")
}

// Revive starts the servers that Kill ended again, as replicas, and waits until each master has one that follows.
func (c *Cluster) Revive() {
	c.t.Helper()
	for _, n := range c.nodes {
		if n.cmd == nil {
			n.start()
		}
	}
	within(c.t, "each node serves, the revived ones as replicas that follow", func() bool {
		following := 0
		for _, n := range c.nodes {
			info, err := n.ask("CLUSTER", "INFO")
			role, errRole := n.ask("ROLE")
			if err != nil || errRole != nil || !strings.Contains(info, "cluster_state:ok") {
				return false
			}
			if strings.HasPrefix(role, "[slave") && strings.Contains(role, " connected ") {
				following++
			}
		}
		return following == len(c.nodes)/2
	})
}

// know reports whether each server that runs knows that all slots are served, and none by the dead one.
func (c *Cluster) know(dead *node) bool {
	for _, n := range c.nodes {
		if n.cmd == nil {
			continue
		}
		info, err := n.ask("CLUSTER", "INFO")
		slots, errSlots := n.ask("CLUSTER", "SLOTS")
		if err != nil || errSlots != nil || !strings.Contains(info, "cluster_state:ok") || strings.Contains(slots, strconv.Itoa(dead.port)) {
			return false
		}
	}
	return true
}

// Reshard moves slots from one master to another while the cluster is in use.
func (c *Cluster) Reshard(slots int) {
	c.t.Helper()
	var masters []string
	var at string
	for _, n := range c.nodes {
		if role, err := n.ask("ROLE"); n.cmd != nil && err == nil && strings.HasPrefix(role, "[master") {
			id, _ := n.ask("CLUSTER", "MYID")
			masters, at = append(masters, id), n.address()
		}
	}
	c.cli("--cluster", "reshard", at, "--cluster-from", masters[0], "--cluster-to", masters[1], "--cluster-slots", strconv.Itoa(slots), "--cluster-yes")
}

func (c *Cluster) cli(args ...string) {
	c.t.Helper()
	if out, err := exec.Command("redis-cli", args...).CombinedOutput(); err != nil {
		c.t.Fatalf("redis-cli %v: %v\n%s", args, err, out)
	}
}

// Sentinels are a master, its replica, and three sentinels that replace the one by the other.
type Sentinels struct {
	t               testing.TB
	master, replica *node
	sentinels       []*node
}

const masterName = "liveproof"

// StartSentinels runs them until the test ends.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	memory := []string{"--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"}
	s := &Sentinels{t: t, master: startNode(t, "redis-server", memory...)}
	s.replica = startNode(t, "redis-server", append(memory, "--replicaof", "127.0.0.1", strconv.Itoa(s.master.port))...)
	for range 3 {
		s.sentinels = append(s.sentinels, startSentinel(t, s.master.port))
	}
	within(t, "the sentinels know one another and the replica", func() bool {
		for _, n := range s.sentinels {
			known, err := n.ask("SENTINEL", "CKQUORUM", masterName)
			replicas, _ := n.ask("SENTINEL", "REPLICAS", masterName)
			if err != nil || !strings.Contains(known, "3 usable") || !strings.Contains(replicas, strconv.Itoa(s.replica.port)) {
				return false
			}
		}
		return true
	})
	within(t, "the replica follows", func() bool { role, _ := s.replica.ask("ROLE"); return strings.Contains(role, "connected") })
	return s
}

func startSentinel(t testing.TB, port int) *node {
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	rules := fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 2\nsentinel down-after-milliseconds %[1]s 1000\nsentinel failover-timeout %[1]s 5000\n",
		masterName, port)
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return startNode(t, "redis-server", file, "--sentinel")
}

// URL is the address as store.Config.Redis takes it.
func (s *Sentinels) URL() string {
	return fmt.Sprintf("redis-sentinel://%s,%s,%s/0#%s", s.sentinels[0].address(), s.sentinels[1].address(), s.sentinels[2].address(), masterName)
}

// Kill ends the master as a crash does, and waits until the replica has taken over.
func (s *Sentinels) Kill() {
	s.t.Helper()
	s.master.kill()
	within(s.t, "the replica has taken over", func() bool { role, _ := s.replica.ask("ROLE"); return strings.HasPrefix(role, "[master") })
}

// Secured is one server that answers by TLS only to clients with a certificate, and only to the ACL user app.
type Secured struct {
	node *node
	port int
	// CA, Cert and Key are files: the authority, and the client's certificate and key that it signed.
	CA, Cert, Key string
}

// StartSecured runs the server until the test ends.
func StartSecured(t testing.TB) *Secured {
	t.Helper()
	dir := t.TempDir()
	s := &Secured{port: FreePort(t), CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "client.pem"), Key: filepath.Join(dir, "client-key.pem")}
	server, serverKey := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem")
	ca := newAuthority(t, s.CA)
	ca.sign(t, server, serverKey)
	ca.sign(t, s.Cert, s.Key)
	s.node = startNode(t, "redis-server", "--save", "", "--appendonly", "no", "--tls-port", strconv.Itoa(s.port), "--tls-cert-file", server,
		"--tls-key-file", serverKey, "--tls-ca-cert-file", s.CA, "--tls-auth-clients", "yes", "--user", "app", "on", ">secret-2026", "~liveproof:*", "+@all")
	return s
}

// URL is the address as store.Config.Redis takes it.
func (s *Secured) URL() string { return fmt.Sprintf("rediss://app:secret-2026@localhost:%d", s.port) }
