package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/console"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/injection"
	"github.com/liveproof/liveproof/internal/cpu"
	"github.com/liveproof/liveproof/internal/tracing"
	"github.com/liveproof/liveproof/results"
	"github.com/liveproof/liveproof/webclient"
	"github.com/liveproof/liveproof/webhooks"
)

// service is a whole server: its ports are bound and its models loaded. run serves, and close must follow.
type service struct {
	cfg    Config
	mode   serveMode
	log    *slog.Logger
	ops    *opsListener
	spans  *tracing.Provider // nil: nothing is traced
	judge  *engine.Engine
	signer *results.Signer  // nil: results are not signed
	hooks  *webhooks.Sender // nil: nobody is told
	server *ingest.Server

	dialsAnywhere bool // the sandbox lets it connect to every port

	sandboxed *prometheus.GaugeVec // which parts of the sandbox are in force
	opened    []io.Closer          // in the order in which they were opened; the listener of ops is the first
}

// openService opens everything, or nothing after an error.
func openService(ctx context.Context, cfg Config, mode serveMode, log *slog.Logger) (*service, error) {
	s := &service{cfg: cfg, mode: mode, log: log}
	if err := s.open(ctx); err != nil {
		return nil, s.close(err)
	}
	return s, nil
}

func (s *service) open(ctx context.Context) (err error) {
	reg := newRegistry()
	s.sandboxed = newSandboxGauge(reg)
	if s.ops, err = listenOps(s.cfg.Ops, reg, s.log); err != nil {
		return err
	}
	s.opened = append(s.opened, s.ops)
	if err := s.openTracing(ctx); err != nil {
		return err
	}
	if s.judge, err = openEngine(ctx, s.cfg, s.log, reg); err != nil {
		return err
	}
	s.opened = append(s.opened, s.judge)
	if s.signer, err = openResults(s.cfg, s.mode, s.log); err != nil {
		return err
	}
	sessions, err := openStore(ctx, s.cfg.Store, s.log)
	if err != nil {
		return err
	}
	s.opened = append(s.opened, sessions)
	if err := s.openConsole(sessions, reg); err != nil {
		return err
	}
	if s.hooks, err = openWebhooks(ctx, s.cfg, sessions, reg, s.log); err != nil {
		return err
	}
	if s.hooks != nil {
		s.hooks.Trace(s.spans.Tracer())
	}
	api, err := rtc.New(s.cfg.webrtc(), s.log, reg)
	if err != nil {
		key, _, _ := strings.Cut(err.Error(), ":")
		return explainTaken(fmt.Errorf("webrtc.%w", err), "webrtc."+key, "--udp-port", "")
	}
	s.opened = append(s.opened, api)
	return s.listen(sessions, api, reg)
}

// openTracing prepares the sending of spans. It is closed late, after all that makes spans.
func (s *service) openTracing(ctx context.Context) (err error) {
	if s.spans, err = tracing.Open(ctx, s.cfg.Ops.Tracing, version, s.log); err != nil {
		return usage(fmt.Errorf("configuration: ops.tracing: %w", err))
	}
	if s.spans != nil {
		s.opened = append(s.opened, s.spans)
		s.log.Info("spans are sent by OTLP", "sample", s.cfg.Ops.Tracing.Sample)
	}
	return nil
}

// listen opens the HTTP side.
func (s *service) listen(sessions sessionStore, api *rtc.API, reg prometheus.Registerer) (err error) {
	deps := ingest.Deps{
		Sessions: sessions, Analyzer: s.judge.Live(sessions), RTC: api, Dial: live.Dial(api), Session: s.cfg.Session, Log: s.log,
		Metrics: reg, Web: webclient.FS(), Dev: s.mode.dev, Demo: s.mode.demo, Ready: s.judge.Ready, PublicIPs: s.cfg.WebRTC.PublicIPs,
		Admit: s.judge.Admit, Capacity: &live.Capacity{CPU: cpu.Read, Scorer: s.judge.Utilisation, SampleRate: s.cfg.Pipeline.SampleRate},
		MinDeadline: s.cfg.engine().MinDeadline(), Tracer: s.spans.Tracer(),
	}
	if s.signer != nil {
		deps.Results = s.signer
	}
	if s.server, err = ingest.New(s.cfg.Ingest, deps); err != nil {
		return usage(fmt.Errorf("configuration: %w", err))
	}
	if err := s.server.Listen(); err != nil {
		return explainTaken(err, "ingest.listen", "--listen", "")
	}
	return nil
}

// close closes in the reverse order. After ErrStuck it leaves open what a session still works with: to free a
// network under a running call would crash, and the process ends anyway.
func (s *service) close(err error) error {
	stuck := errors.Is(err, live.ErrStuck)
	for i, c := range slices.Backward(s.opened) {
		if !stuck || i == 0 {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}

// run starts downstream first and stops upstream first: the first request finds a running engine, the engine outlives the
// server's drain, and metrics are served until its end. It calls opened when it begins to answer requests, and returns when ctx
// has ended and every session has. hangups reload the model; they may be nil.
func (s *service) run(ctx context.Context, hangups <-chan os.Signal, opened func()) error {
	engineCtx, stopEngine := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngine()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.judge.Run(engineCtx) })
	group.Go(func() error { return reloadOnHangup(groupCtx, hangups, s.judge, s.signer, s.log) })
	group.Go(func() error { return s.ops.run(engineCtx) })
	if s.hooks != nil {
		group.Go(func() error { return s.hooks.Run(engineCtx) })
	}
	group.Go(func() error {
		defer stopEngine()
		select {
		case <-s.judge.Started():
			opened()
		case <-groupCtx.Done(): // the server has still to close its listener
		}
		return s.server.Run(groupCtx)
	})
	return group.Wait()
}

// announce tells the user where the server is and what judges.
func (s *service) announce(out io.Writer) {
	model, log, cfg := s.judge.Model(), s.log, s.cfg
	log.Info("ready to judge", append([]any{"model", model.Name, "provider", model.Provider, "precision", model.Precision,
		"detector", s.judge.Detector(), "version", version}, thresholdInLog(s.judge)...)...)
	if model.Demo {
		log.Warn("this model is a demo: it was trained on rendered attacks, not on licensed benchmark data")
	}
	if url := s.ops.url(); url != "" {
		fmt.Fprintln(out, "metrics at", url+"/metrics")
		if cfg.Ops.Profiles {
			fmt.Fprintln(out, "profiles at", url+"/debug/pprof/")
		}
		if s.hasConsole() {
			fmt.Fprintln(out, "console at", url+console.Path+"/")
		}
	}
	if cfg.WebRTC.Bind == rtc.BindAuto && cfg.webrtc().Bind == rtc.BindLoopback {
		log.Info("media is received on loopback only, because ingest.listen is a loopback address; webrtc.bind: all opens it to the network")
	}
	fmt.Fprintln(out, "listening on", baseURL(s.server.Addr().String(), cfg.Ingest.TLSCert != ""))
	if s.mode.demo {
		fmt.Fprintln(out, "open that address in a browser; stop with Ctrl-C")
	}
}

// openEngine loads the models; a wrong configuration is the user's fault.
func openEngine(ctx context.Context, cfg Config, log *slog.Logger, reg prometheus.Registerer) (*engine.Engine, error) {
	e, err := engine.Open(ctx, cfg.engine(), engine.Deps{Log: log, Metrics: reg, Attestor: injection.NewVerifier(cfg.Injection.Attestation)})
	if errors.Is(err, engine.ErrConfig) {
		return nil, usage(err)
	}
	return e, err
}

func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
