package rtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	portAttempts = 20                    // of finding one free port for all addresses
	acceptPause  = 50 * time.Millisecond // after a connection that could not be accepted
)

// wants reports whether the network interface of this name is used; include_loopback decides
// about loopback.
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
	if cfg.Bind == BindLoopback {
		global = nil
	}
	if cfg.usesLoopback() {
		global = append(global, loopback...)
	}
	return global, nil
}

// listenUDP binds one socket for each address, so that answers leave with the
// address that was asked, all on one port; port 0 finds one that is free on all.
func listenUDP(ips []net.IP, port, buffer int, log *slog.Logger) ([]*net.UDPConn, error) {
	var err error
	for range portAttempts {
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

// listenTCP binds one port: on every address of the host, or on the given ones only.
func listenTCP(ips []net.IP, port int, log *slog.Logger) (net.Listener, error) {
	if len(ips) == 0 {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: port})
		if err != nil {
			return nil, fmt.Errorf("tcp_port: %w", err)
		}
		return l, nil
	}
	var err error
	for range portAttempts {
		var l net.Listener
		if l, err = listenTCPOnce(ips, port, log); err == nil || port != 0 {
			return l, err
		}
	}
	return nil, err
}

func listenTCPOnce(ips []net.IP, port int, log *slog.Logger) (net.Listener, error) {
	var all []net.Listener
	for _, ip := range ips {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Port: port})
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			log.Warn("address left out", "ip", ip.String(), "error", err)
			continue
		}
		if err != nil {
			for _, l := range all {
				_ = l.Close()
			}
			return nil, fmt.Errorf("tcp_port: %w", err)
		}
		port = l.Addr().(*net.TCPAddr).Port
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, errors.New("interfaces: no usable network address")
	}
	return join(all, port), nil
}

// joinedListener accepts from several listeners on one port. It names no address as its own, so
// that the ICE mux takes it for all of them.
type joinedListener struct {
	all      []net.Listener
	port     int
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
	running  sync.WaitGroup
}

func join(all []net.Listener, port int) *joinedListener {
	j := &joinedListener{all: all, port: port, accepted: make(chan net.Conn), closed: make(chan struct{})}
	for _, l := range all {
		j.running.Go(func() { j.acceptFrom(l) })
	}
	return j
}

func (j *joinedListener) acceptFrom(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no file descriptor is free, or the connection is gone already
			select {
			case <-j.closed:
				return
			case <-time.After(acceptPause):
				continue
			}
		}
		select {
		case j.accepted <- conn:
		case <-j.closed:
			_ = conn.Close()
			return
		}
	}
}

// Accept returns the next connection of any listener; net.ErrClosed after Close.
func (j *joinedListener) Accept() (net.Conn, error) {
	select {
	case conn := <-j.accepted:
		return conn, nil
	case <-j.closed:
		return nil, net.ErrClosed
	}
}

// Close closes all listeners and waits for their goroutines. It is idempotent.
func (j *joinedListener) Close() (err error) {
	j.once.Do(func() {
		close(j.closed)
		for _, l := range j.all {
			err = errors.Join(err, l.Close())
		}
	})
	j.running.Wait()
	return err
}

// Addr is the port on an unspecified address.
func (j *joinedListener) Addr() net.Addr { return &net.TCPAddr{Port: j.port} }

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
