package rtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
)

// API owns the sockets and opens peers on them. It is safe for concurrent use.
type API struct {
	cfg      Config
	log      *slog.Logger
	metrics  *metrics
	udp      *net.UDPAddr
	tcp      *net.TCPAddr
	closers  []func() error
	engine   *webrtc.MediaEngine
	feedback feedbackFactory
	settings webrtc.SettingEngine

	mu     sync.Mutex
	closed bool
	peers  map[*Peer]struct{}
}

// New binds the sockets; they serve until Close. reg may be nil: then metrics
// are counted and not registered.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*API, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a := &API{cfg: cfg, log: log, peers: map[*Peer]struct{}{}}
	if err := a.build(reg); err != nil {
		return nil, errors.Join(err, a.closeSockets())
	}
	return a, nil
}

func (a *API) build(reg prometheus.Registerer) (err error) {
	if a.metrics, err = newMetrics(reg); err != nil {
		return err
	}
	if a.engine, err = newMediaEngine(a.cfg); err != nil {
		return err
	}
	pion := loggers{a.log}
	if a.feedback, err = newFeedbackFactory(a.cfg, pion); err != nil {
		return err
	}
	ips, err := localIPs(a.cfg)
	if err != nil {
		return err
	}
	udp, err := a.listenUDP(ips)
	if err != nil {
		return err
	}
	tcp, err := a.listenTCP(ips)
	if err != nil {
		return err
	}
	a.settings = newSettings(a.cfg, ips, udp, tcp, pion)
	return a.settings.SetICEAddressRewriteRules(publicAddresses(a.cfg.PublicIPs, ips)...)
}

func (a *API) listenUDP(ips []net.IP) (ice.UDPMux, error) {
	conns, err := listenUDP(ips, a.cfg.UDPPort, a.cfg.UDPBuffer, a.log)
	if err != nil {
		return nil, err
	}
	muxes := make([]ice.UDPMux, len(conns))
	for i, conn := range conns {
		checked := &checkedConn{UDPConn: conn, limit: newCheckLimit(), refused: a.metrics.checks}
		muxes[i] = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: checked, Logger: loggers{a.log}.NewLogger("udp")})
	}
	mux := ice.NewMultiUDPMuxDefault(muxes...)
	a.closers = append(a.closers, mux.Close)
	a.udp = conns[0].LocalAddr().(*net.UDPAddr)
	return mux, nil
}

func (a *API) listenTCP(ips []net.IP) (ice.TCPMux, error) {
	const (
		firstBinding = 5 * time.Second // for a connection to name its session
		unclaimed    = 5 * time.Second // for a session to take it
		readBuffer   = 64              // packets
		writeBuffer  = 256 << 10       // bytes
	)
	if a.cfg.TCPPort < 0 {
		return nil, nil
	}
	if !a.cfg.limited() {
		ips = nil
	}
	listener, err := listenTCP(ips, a.cfg.TCPPort, a.log)
	if err != nil {
		return nil, err
	}
	bounded := newBoundedListener(listener, a.cfg.TCPConnections, a.metrics)
	mux := ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: bounded, Logger: loggers{a.log}.NewLogger("tcp"), ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer,
		FirstStunBindTimeout: firstBinding, AliveDurationForConnFromStun: unclaimed,
	})
	// The listener's connections first: the mux waits for their handlers.
	a.closers = append(a.closers, func() error { return errors.Join(ignoreClosed(bounded.Close()), ignoreClosed(mux.Close())) })
	a.tcp = listener.Addr().(*net.TCPAddr)
	return mux, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// publicAddresses are the rewrite rules for public_ips: each local address that
// is not loopback is advertised as the public ones of its family, or as the one paired with it.
func publicAddresses(public []string, local []net.IP) []webrtc.ICEAddressRewriteRule {
	var rules []webrtc.ICEAddressRewriteRule
	for _, ip := range local {
		var external []string
		for _, entry := range public {
			address, only, paired := strings.Cut(entry, "/")
			is4 := netip.MustParseAddr(address).Is4()
			if !ip.IsLoopback() && is4 == (ip.To4() != nil) && (!paired || net.ParseIP(only).Equal(ip)) {
				external = append(external, address)
			}
		}
		if len(external) > 0 {
			rules = append(rules, webrtc.ICEAddressRewriteRule{External: external, Local: ip.String(), AsCandidateType: webrtc.ICECandidateTypeHost})
		}
	}
	return rules
}

// UDPAddr is one of the local UDP addresses; all of them share its port.
func (a *API) UDPAddr() *net.UDPAddr { return a.udp }

// TCPAddr is the local ICE-TCP address, nil when ICE-TCP is off.
func (a *API) TCPAddr() *net.TCPAddr { return a.tcp }

// NewPeer opens a peer, which runs until it ends by itself (see Peer.Done) or
// is closed; it must be closed in any case. With onCandidate, local candidates
// that were not ready for the answer follow through it, and an empty one at
// their end; it must not block and must not call Close. ErrClosed after Close.
func (a *API) NewPeer(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (*Peer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, fmt.Errorf("webrtc: %w", ErrClosed)
	}
	p, err := newPeer(a, id, onCandidate)
	if err != nil {
		return nil, err
	}
	a.peers[p] = struct{}{}
	a.metrics.peers.Inc()
	a.metrics.opened.Inc()
	return p, nil
}

func (a *API) forget(p *Peer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.peers[p]; ok {
		delete(a.peers, p)
		a.metrics.peers.Dec()
	}
}

// Close closes every peer, then the sockets, and waits for their goroutines. It is idempotent.
func (a *API) Close() error {
	a.mu.Lock()
	a.closed = true
	peers := make([]*Peer, 0, len(a.peers))
	for p := range a.peers {
		peers = append(peers, p)
	}
	closers := a.closers
	a.closers = nil
	a.mu.Unlock()

	var all sync.WaitGroup
	for _, p := range peers {
		all.Go(func() { _ = p.Close() })
	}
	all.Wait()
	return closeAll(closers)
}

func (a *API) closeSockets() error { return closeAll(a.closers) }

func closeAll(closers []func() error) (err error) {
	for _, c := range closers {
		err = errors.Join(err, c())
	}
	return err
}
