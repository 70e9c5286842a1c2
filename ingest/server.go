package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/liveproof/liveproof/ingest/live"
)

// Deps are what the server works with. Sessions, Analyzer, RTC and Dial are
// required.
type Deps struct {
	Sessions Sessions
	Analyzer Analyzer
	RTC      Negotiator
	Dial     live.Dialer
	// Session holds the limits and timeouts of a session.
	Session live.Config
	Log     *slog.Logger          // nil discards
	Metrics prometheus.Registerer // nil leaves the metrics unregistered
	// Web is the built web client with index.html at its root; nil shows how to build it.
	Web fs.FS
	// Dev tells clients ρ. Demo adds the demo backend, which gives sessions to
	// everyone. Either allows missing keys and secrets.
	Dev, Demo bool
	// Ready reports a dependency that is not ready, for /readyz; may be nil.
	Ready func(context.Context) error
	// Admit refuses new sessions with liveproof.ErrOverloaded, or with
	// liveproof.ErrUnavailable while nothing can be scored; nil admits all.
	Admit func() error
	// Capacity measures what sessions cost; with nil, session.max_sessions auto admits all.
	Capacity *live.Capacity
	// Results signs results; nil leaves them unsigned.
	Results Results
	// MinDeadline is the least deadline with which a session can be decided; at least 1 s counts.
	MinDeadline time.Duration
	// PublicIPs are addresses that clients reach this machine by, as webrtc.public_ips has them.
	PublicIPs []string
	// Tracer makes spans; nil traces nothing.
	Tracer trace.Tracer
	// Now is the clock of tokens and records; nil is time.Now.
	Now func() time.Time
}

// Server is the HTTP side of the service.
type Server struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	tokens  *tokens
	// readTokens read a session's events.
	readTokens *tokens
	// handovers take a client from one node to the owner of its session.
	handovers *tokens
	listeners *listeners
	keys      apiKeys
	tenants   *limits
	perIP     *limits
	proxies   []netip.Prefix
	hosts     *Hosts
	web       *website
	demo      *demoSessions
	ready     *readiness
	live      *live.Supervisor
	handler   http.Handler
	routes    []route

	draining  atomic.Bool
	plainKeys sync.Once // its warning is logged
	mu        sync.Mutex
	listener  net.Listener
}

// New checks the configuration and builds the server; nothing runs yet.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("ingest.%w", err)
	}
	if deps.Sessions == nil || deps.Analyzer == nil || deps.RTC == nil || deps.Dial == nil {
		return nil, errors.New("ingest: Sessions, Analyzer, RTC and Dial are required")
	}
	secret, err := secrets(cfg, deps)
	if err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	deps.MinDeadline = max(deps.MinDeadline, time.Second)
	if got := deps.Session.Deadline; got < deps.MinDeadline {
		return nil, fmt.Errorf("session.deadline: %v is too short to decide, at least %v is needed", got, deps.MinDeadline)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg: cfg, deps: deps, log: deps.Log, now: deps.Now,
		metrics: newMetrics(deps.Metrics),
		tokens:  newTokens(secret, clientTokens, deps.Now), keys: newAPIKeys(cfg.APIKeys),
		readTokens: newTokens(secret, readTokens, deps.Now), handovers: newTokens(secret, handovers, deps.Now),
	}
	return s, s.assemble()
}

func secrets(cfg Config, deps Deps) (string, error) {
	if deps.Dev || deps.Demo {
		if cfg.TokenSecret == "" {
			return NewSecret(), nil
		}
		return cfg.TokenSecret, nil
	}
	if len(cfg.APIKeys) == 0 {
		return "", errors.New("ingest.api_keys: at least one is needed")
	}
	if cfg.TokenSecret == "" {
		return "", errors.New("ingest.token_secret: at least 32 random characters are needed")
	}
	return cfg.TokenSecret, nil
}

func (s *Server) assemble() (err error) {
	if s.tenants, err = newLimits(s.cfg.RatePerTenant, s.cfg.RateEntries, s.now); err != nil {
		return fmt.Errorf("rate_entries: %w", err)
	}
	if s.perIP, err = newLimits(s.cfg.RatePerIP, s.cfg.RateEntries, s.now); err != nil {
		return fmt.Errorf("rate_entries: %w", err)
	}
	for _, p := range s.cfg.TrustedProxies {
		s.proxies = append(s.proxies, netip.MustParsePrefix(p).Masked()) // Validate has parsed it
	}
	s.hosts = newHosts(s.cfg, s.deps.PublicIPs, s.now)
	if s.web, err = newWebsite(s.deps.Web, s.deps.Demo || s.deps.Dev); err != nil {
		return fmt.Errorf("web client: %w", err)
	}
	if s.demo, err = newDemoSessions(); err != nil {
		return err
	}
	s.listeners = newListeners(s.deps.Sessions, s.cfg.Listeners, s.log, s.metrics.listeners)
	s.ready = &readiness{sessions: s.deps.Sessions, model: s.deps.Ready, now: s.now}
	s.live, err = live.New(s.deps.Session, live.Deps{
		Sessions: s.deps.Sessions, Analyzer: s.deps.Analyzer, Dial: s.deps.Dial,
		Capacity: s.deps.Capacity, Log: s.log, Metrics: s.deps.Metrics, Now: s.now, Tracer: s.deps.Tracer,
	})
	if err != nil {
		return fmt.Errorf("session.%w", err)
	}
	s.routes = s.table()
	s.handler = s.mux(s.routes)
	return nil
}

// Handler is the whole HTTP interface, for tests and for an http.Server of your
// own; then call Sweep and Close too.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen opens the port, so that Addr is known before Run.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("ingest.listen: %w", err)
	}
	if s.cfg.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(s.cfg.TLSCert, s.cfg.TLSKey); err != nil {
			return errors.Join(fmt.Errorf("ingest.tls_cert: %w", err), l.Close())
		}
	}
	s.listener = l
	return nil
}

// Addr is where the server listens; nil before Listen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Run serves until ctx ends and then drains: /readyz says not ready, new sessions get 503,
// running ones may go on for DrainTimeout, and those that are left end inconclusive. It returns
// when every goroutine of the server has ended, or with live.ErrStuck when sessions do not end.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	srv := &http.Server{
		Handler: s.handler, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() { defer cancel(); failed = s.serve(srv) })
	wg.Go(func() { s.live.Sweep(serving) })
	wg.Go(func() { s.live.Measure(serving) })
	<-serving.Done()
	err := s.shutdown(srv)
	wg.Wait()
	return errors.Join(failed, err)
}

func (s *Server) serve(srv *http.Server) error {
	var err error
	if s.cfg.TLSCert != "" {
		err = srv.ServeTLS(s.listener, s.cfg.TLSCert, s.cfg.TLSKey)
	} else {
		err = srv.Serve(s.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Server) shutdown(srv *http.Server) error {
	stuck := s.drain(s.deps.Session.DrainTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		return errors.Join(stuck, err, srv.Close())
	}
	return stuck
}

func (s *Server) drain(within time.Duration) error {
	s.draining.Store(true)
	s.log.Info("draining", "sessions", s.live.Count(), "within", within)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := s.live.Drain(ctx)
	if err != nil {
		s.log.Error("gave up on sessions that do not end", "err", err)
	}
	s.listeners.close() // they have heard how the sessions of this server ended
	return err
}

// Close ends every session at once; for a server whose Run is not used. Idempotent.
func (s *Server) Close() error { return s.drain(0) }

// Sweep ends sessions whose lease has run out, until ctx ends. Run does so too:
// call Sweep only when you do not use Run.
func (s *Server) Sweep(ctx context.Context) { s.live.Sweep(ctx) }
