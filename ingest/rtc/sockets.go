package rtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
)

// wants reports whether the interface of this name is to be used; loopback has a key of its own.
func (c Config) wants(name string) bool {
	if len(c.Interfaces) == 0 || slices.Contains(c.Interfaces, name) {
		return true
	}
	i, err := net.InterfaceByName(name)
	return err == nil && i.Flags&net.FlagLoopback != 0
}

// localIPs are this host's usable addresses: of interfaces that are up and
// wanted, without link-local ones, loopback last.
func localIPs(cfg Config) ([]net.IP, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("network interfaces: %w", err)
	}
	var global, loopback []net.IP
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || !cfg.wants(i.Name) {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		for _, a := range addresses {
			network, ok := a.(*net.IPNet)
			switch {
			case !ok || network.IP.IsLinkLocalUnicast() || network.IP.IsMulticast():
			case network.IP.IsLoopback():
				loopback = append(loopback, network.IP)
			default:
				global = append(global, network.IP)
			}
		}
	}
	if cfg.IncludeLoopback {
		global = append(global, loopback...)
	}
	return global, nil
}

// listenUDP binds one socket for each address, so that answers leave with the
// address that was asked, all on one port; port 0 finds one that is free on all.
func listenUDP(ips []net.IP, port, buffer int, log *slog.Logger) ([]*net.UDPConn, error) {
	const attempts = 20 // of finding one free port for all addresses
	var err error
	for range attempts {
		var conns []*net.UDPConn
		if conns, err = listenUDPOnce(ips, port, buffer, log); err == nil {
			return conns, nil
		}
		if port != 0 {
			break
		}
	}
	return nil, err
}

func listenUDPOnce(ips []net.IP, port, buffer int, log *slog.Logger) ([]*net.UDPConn, error) {
	var conns []*net.UDPConn
	for _, ip := range ips {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port})
		if errors.Is(err, syscall.EADDRNOTAVAIL) { // IPv6 switched off, or not ready yet
			log.Warn("address left out", "ip", ip.String(), "error", err)
			continue
		}
		if err != nil {
			for _, c := range conns {
				_ = c.Close()
			}
			return nil, fmt.Errorf("udp_port: %w", err)
		}
		port = conn.LocalAddr().(*net.UDPAddr).Port
		_ = conn.SetReadBuffer(buffer) // the kernel's limit may be lower
		_ = conn.SetWriteBuffer(buffer)
		conns = append(conns, conn)
	}
	if len(conns) == 0 {
		return nil, errors.New("interfaces: no usable network address")
	}
	return conns, nil
}

// boundedListener accepts at most max connections at a time, closes others at
// once, and closes all of them with itself: the ICE mux waits for each.
type boundedListener struct {
	net.Listener
	max     int
	open    prometheus.Gauge
	refused prometheus.Counter

	mu     sync.Mutex
	closed bool
	conns  map[*boundedConn]struct{}
}

func newBoundedListener(l net.Listener, most int, m *metrics) *boundedListener {
	return &boundedListener{Listener: l, max: most, open: m.tcpConns, refused: m.tcpShed, conns: map[*boundedConn]struct{}{}}
}

func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.admit(conn); c != nil {
			return c, nil
		}
		l.refused.Inc()
		_ = conn.Close()
	}
}

func (l *boundedListener) admit(conn net.Conn) *boundedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.conns) >= l.max {
		return nil
	}
	c := &boundedConn{Conn: conn, listener: l}
	l.conns[c] = struct{}{}
	l.open.Inc()
	return c
}

func (l *boundedListener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	l.closed = true
	conns := make([]*boundedConn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
	return err
}

type boundedConn struct {
	net.Conn
	listener *boundedListener
}

func (c *boundedConn) Close() error {
	l := c.listener
	l.mu.Lock()
	if _, open := l.conns[c]; open {
		delete(l.conns, c)
		l.open.Dec()
	}
	l.mu.Unlock()
	return c.Conn.Close()
}
