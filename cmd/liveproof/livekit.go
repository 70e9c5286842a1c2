package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/livekit"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/internal/cpu"
)

const livekitHelp = `Watches a room of a LiveKit server: joins it as a hidden participant that only subscribes, runs a session of mode call
for each camera, and tells the room the verdicts as attributes of the participant and as data messages (topic "liveproof").

  liveproof livekit --url wss://livekit.example.org --room onboarding-17 --identity customer
  liveproof livekit --url … --room … --redis redis://localhost:6379/0     records beside those of the servers

  liveproof livekit --url … --listen :8090                                every room that LiveKit's webhooks tell of

The API key is read from LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or from flags. It must be allowed to administer the room.
The command ends with the room, or on SIGTERM; session.drain_timeout does not apply, because the media ends with it.
docs/livekit.md has the messages and what they are worth.`

// livekitFlags are the command's.
type livekitFlags struct {
	livekit.Config
	config, redis string
	listen        string
	tell          []string
}

func newLiveKitCommand() *cobra.Command {
	f := livekitFlags{}
	cmd := &cobra.Command{
		Use: "livekit", Short: "Watch a LiveKit room and judge its cameras", Long: livekitHelp, Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(f.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			if err := f.complete(&cfg); err != nil {
				return usage(err)
			}
			return watchRooms(cmd.Context(), cfg, f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file (YAML), as that of serve")
	flags.StringVar(&f.redis, "redis", "", "Redis URL; default: store.redis of the configuration, else sessions in memory")
	flags.StringVar(&f.URL, "url", "", "address of the LiveKit server, such as wss://livekit.example.org (default $LIVEKIT_URL)")
	flags.StringVar(&f.Key, "api-key", "", "LiveKit API key (default $LIVEKIT_API_KEY)")
	flags.StringVar(&f.Secret, "api-secret", "", "its secret (default $LIVEKIT_API_SECRET, which other users of this machine cannot read)")
	flags.StringVar(&f.Room, "room", "", "name of the room")
	flags.StringVar(&f.listen, "listen", "", "TCP address that takes LiveKit's webhooks (plain HTTP; a proxy brings TLS), in place of --room")
	flags.StringSliceVar(&f.Watch, "identity", nil, "identity of a participant to watch; may be repeated (default: all standard participants)")
	flags.StringVar(&f.As, "as", "liveproof", "identity of the watcher itself; two watchers of a room need two")
	flags.StringVar(&f.Tenant, "tenant", liveproof.DefaultTenant, "tenant that owns the sessions")
	flags.StringSliceVar(&f.tell, "tell", []string{"attributes", "data"}, "how the room is told: attributes, data or none")
	flags.StringSliceVar(&f.DataTo, "data-to", nil, "identities that get data messages (default: everybody in the room)")
	return cmd
}

// complete reads what the environment and the configuration add, and checks everything.
func (f *livekitFlags) complete(cfg *Config) error {
	f.URL = cmp.Or(f.URL, os.Getenv("LIVEKIT_URL"))
	f.Key, f.Secret = cmp.Or(f.Key, os.Getenv("LIVEKIT_API_KEY")), cmp.Or(f.Secret, os.Getenv("LIVEKIT_API_SECRET"))
	for _, way := range f.tell {
		switch way {
		case "attributes":
			f.Attributes = true
		case "data":
			f.Data = true
		case "none":
		default:
			return fmt.Errorf("--tell: %q is not attributes, data or none", way)
		}
	}
	cfg.Store.Redis = cmp.Or(f.redis, cfg.Store.Redis)
	f.IdleTimeout, f.RecordTTL = cfg.Session.IdleTimeout, cfg.Session.RecordTTL
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	checked := f.Config
	if f.listen != "" {
		if f.Room != "" {
			return errors.New("give --room for one room, or --listen for those that webhooks tell of, not both")
		}
		checked.Room = "any"
	}
	if err := checked.Validate(); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

// watchRooms opens everything that judges, and watches until the room or ctx ends.
func watchRooms(ctx context.Context, cfg Config, f livekitFlags, out, errOut io.Writer) (err error) {
	s := &service{cfg: cfg, log: newLogger(cfg.Log, errOut), dialsAnywhere: true}
	defer func() { err = s.close(err) }()
	w, err := s.openRooms(ctx, f)
	if err != nil {
		return err
	}
	if err := s.confine(); err != nil {
		return err
	}
	err = w.run(ctx, s, func() {
		if w.webhooks != nil {
			fmt.Fprintln(out, "taking webhooks at", "http://"+w.webhooks.Addr().String())
			return
		}
		fmt.Fprintln(out, "watching room", f.Room)
	})
	if errors.Is(err, livekit.ErrRefused) {
		return usage(err)
	}
	return err
}

// roomWatch runs until its room, or all its rooms, are done: livekit.Agent or livekit.Dispatcher.
type roomWatch interface {
	Run(ctx context.Context, s livekit.Supervisor, ready func()) error
}

// roomWatcher watches rooms.
type roomWatcher struct {
	watch      roomWatch
	supervisor *live.Supervisor
	webhooks   net.Listener // nil for one room
}

func (s *service) openRooms(ctx context.Context, f livekitFlags) (*roomWatcher, error) {
	reg := newRegistry()
	s.sandboxed = newSandboxGauge(reg)
	s.cfg.Ops.Console = false // it shows a server
	var err error
	if s.ops, err = listenOps(s.cfg.Ops, reg, s.log); err != nil {
		return nil, err
	}
	s.opened = append(s.opened, s.ops)
	if err := s.openTracing(ctx); err != nil {
		return nil, err
	}
	if s.judge, err = openEngine(ctx, s.cfg, s.log, reg); err != nil {
		return nil, err
	}
	s.opened = append(s.opened, s.judge)
	sessions, err := openStore(ctx, s.cfg.Store, s.log)
	if err != nil {
		return nil, err
	}
	s.opened = append(s.opened, sessions)
	if s.hooks, err = openWebhooks(ctx, s.cfg, sessions, reg, s.log); err != nil {
		return nil, err
	}
	if s.hooks != nil {
		s.hooks.Trace(s.spans.Tracer())
	}
	tracks, err := rtc.NewTracks(s.cfg.webrtc(), reg)
	if err != nil {
		return nil, usage(fmt.Errorf("configuration: webrtc.%w", err))
	}
	deps := livekit.Deps{Sessions: sessions, Tracks: tracks, Peers: &livekit.Peers{}, Require: s.judge.Required, Log: s.log}
	w := &roomWatcher{}
	if w.supervisor, err = live.New(s.cfg.Session, live.Deps{
		Sessions: sessions, Analyzer: s.judge.Live(sessions), Dial: deps.Peers.Dial, Log: s.log, Metrics: reg, Tracer: s.spans.Tracer(),
		Capacity: &live.Capacity{CPU: cpu.Read, Scorer: s.judge.Utilisation, SampleRate: s.cfg.Pipeline.SampleRate},
	}); err != nil {
		return nil, usage(fmt.Errorf("configuration: session.%w", err))
	}
	return w, s.openWatch(w, f, deps)
}

// openWatch prepares to watch one room, or opens the receiver of webhooks.
func (s *service) openWatch(w *roomWatcher, f livekitFlags, deps livekit.Deps) (err error) {
	if f.listen == "" {
		w.watch, err = livekit.New(f.Config, deps)
		return err
	}
	dispatcher, err := livekit.NewDispatcher(f.Config, deps)
	if err != nil {
		return err
	}
	if w.webhooks, err = net.Listen("tcp", f.listen); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	w.watch = receiver{dispatcher, w.webhooks}
	return nil
}

// receiver is a dispatcher with the HTTP server that brings it webhooks.
type receiver struct {
	*livekit.Dispatcher
	listener net.Listener
}

func (r receiver) Run(ctx context.Context, s livekit.Supervisor, ready func()) error {
	server := &http.Server{Handler: r.Dispatcher, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { defer cancel(); served <- server.Serve(r.listener) }()
	err := r.Dispatcher.Run(ctx, s, ready)
	err = errors.Join(err, server.Close())
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}

// run watches; the engine outlives the sessions, as in service.run.
func (w *roomWatcher) run(ctx context.Context, s *service, ready func()) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.judge.Run(serving) })
	group.Go(func() error { return s.ops.run(serving) })
	group.Go(func() error { w.supervisor.Measure(serving); return nil })
	group.Go(func() error { w.supervisor.Sweep(serving); return nil })
	if s.hooks != nil {
		group.Go(func() error { return s.hooks.Run(serving) })
	}
	group.Go(func() error {
		defer stop()
		select {
		case <-s.judge.Started():
		case <-groupCtx.Done():
			return nil
		}
		err := w.watch.Run(groupCtx, w.supervisor, ready)
		over, cancel := context.WithCancel(context.Background())
		cancel() // the media has ended: nothing is left to wait for
		return errors.Join(err, w.supervisor.Drain(over))
	})
	return group.Wait()
}
