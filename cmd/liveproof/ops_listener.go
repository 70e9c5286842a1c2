package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/liveproof/liveproof/ingest"
)

// opsListener serves what is for those who run the server, and for nobody else: metrics, and profiles
// and the console where they are switched on.
type opsListener struct {
	cfg      OpsConfig
	log      *slog.Logger
	hosts    *ingest.Hosts
	listener net.Listener
	mux      *http.ServeMux
}

// listenOps binds the port of section ops; without one it returns nil, whose methods do nothing.
func listenOps(cfg OpsConfig, reg *prometheus.Registry, log *slog.Logger) (*opsListener, error) {
	if cfg.Listen == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, explainTaken(fmt.Errorf("ops.listen: %w", err), "ops.listen", "--ops-listen", `; "" switches the listener off`)
	}
	return &opsListener{cfg, log, ingest.NewHosts(cfg.Listen, cfg.Hosts, time.Now), listener, opsMux(cfg, reg)}, nil
}

func opsMux(cfg OpsConfig, reg *prometheus.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	if cfg.Profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// handler refuses requests of web pages that made a name of theirs resolve to this machine (DNS rebinding), and those of a proxy whose
// clients would be taken for users of this machine.
func (o *opsListener) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := o.refusal(r); why != "" {
			http.Error(w, why, http.StatusMisdirectedRequest)
			return
		}
		o.mux.ServeHTTP(w, r)
	})
}

// refusal says why a request is not answered, "" for one that is.
func (o *opsListener) refusal(r *http.Request) string {
	switch {
	case !o.cfg.open():
		if !o.hosts.Serves(r.Host, r.URL.Path == "/metrics") { // whoever collects metrics may know this machine by an address that is not its own
			return fmt.Sprintf("this listener does not answer to the host %.100q; if it is reached by that name, add it to ops.hosts", r.Host)
		}
	case !ingest.IsLoopbackHost(r.Host):
		return "ops.listen is a loopback address: ask it by that address or as localhost; for a proxy in front, set ops.hosts to the name that it passes on"
	case proxied(r):
		return "ops.listen is a loopback address, and a proxy is in front of it, whose clients need a login: set ops.hosts to the name that the proxy passes on"
	}
	return ""
}

// proxied reports whether a proxy says that it handed the request on.
func proxied(r *http.Request) bool {
	return slices.ContainsFunc([]string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"},
		func(name string) bool { return r.Header.Get(name) != "" })
}

// url is the address that a program on this machine reaches the listener by; "" without a listener.
func (o *opsListener) url() string {
	if o == nil {
		return ""
	}
	return baseURL(o.listener.Addr().String(), false)
}

// run serves until ctx ends.
func (o *opsListener) run(ctx context.Context) error {
	if o == nil {
		return nil
	}
	server := o.server()
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(o.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("ops.listen: %w", err)
	}
	return nil
}

// server ends connections that stand still, whoever opened them: ops.listen may be reachable by others, and the
// process has one number of files for all its ports.
func (o *opsListener) server() *http.Server {
	return &http.Server{
		Handler: o.handler(), ErrorLog: slog.NewLogLogger(o.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: time.Minute,
		WriteTimeout: longestProfile, MaxHeaderBytes: 16 << 10,
	}
}

// longestProfile is above the 30 s of a CPU profile that does not say how long it is to be.
const longestProfile = 2 * time.Minute

// Close frees the port; idempotent.
func (o *opsListener) Close() error {
	if o == nil {
		return nil
	}
	if err := o.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
