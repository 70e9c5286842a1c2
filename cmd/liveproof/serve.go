package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/ingest"
)

const serveHelp = `Serves the sessions API, WebRTC ingest (WebSocket signalling and WHIP) and the demo page.

Without a configuration file it is a development server: it makes an API key and prints it,
keeps sessions in memory and lets the demo page create sessions. With --config it is a
production server: API keys and the token secret come from the file or the environment, and
the demo page is off unless --dev is given.

  liveproof serve                                     demo at http://localhost:8080
  liveproof serve --dev                               the same, with ρ over time as a live chart
  liveproof serve --redis redis://localhost:6379/0    sessions and verdicts in Redis
  liveproof serve --config configs/liveproof.yaml
  liveproof serve --listen 127.0.0.1:0 --udp-port 0   on free ports of this machine only, media too

Metrics are at an address of their own (--ops-listen), reachable from this machine only by default.
SIGTERM drains: running sessions have session.drain_timeout to end. SIGHUP reads the model file and the
calibrations again for new sessions, and the keys that sign results; when one of them is refused, the old ones stay.

The first of these that applies is a session's threshold: the calibration that its creator asks for by name
(calibration.requests), that of its tenant (calibration.tenants), calibration.default or verdict.threshold, the
model's own. "liveproof calibrate" makes such files; each session's record says what judged it.

Every key of the configuration can be set by LIVEPROOF_<SECTION>_<KEY>,
for example LIVEPROOF_WEBRTC_UDP_PORT=9000.`

// serveFlags override the configuration.
type serveFlags struct {
	config, listen, redis, opsListen string
	udpPort                          int
	dev                              bool
	deadline                         time.Duration
}

func newServeCommand() *cobra.Command {
	f := serveFlags{}
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server (no flags needed)", Long: serveHelp, Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(f.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			f.apply(cmd, &cfg)
			if err := cfg.Validate(); err != nil {
				return usage(fmt.Errorf("configuration: %w", err))
			}
			return serve(cmd.Context(), cfg, f.mode(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file (YAML); unknown keys are refused")
	flags.StringVar(&f.listen, "listen", "", "TCP address of HTTP (default :8080); port 0 takes a free one, and one for --ops-listen unless that is set")
	flags.IntVar(&f.udpPort, "udp-port", 0, "UDP and ICE-TCP port of all WebRTC sessions (default 8443); 0 takes a free one")
	flags.StringVar(&f.opsListen, "ops-listen", "", `TCP address of /metrics (default 127.0.0.1:9464); port 0 takes a free one, "" switches it off`)
	flags.StringVar(&f.redis, "redis", "", "Redis URL; default: sessions in memory")
	flags.BoolVar(&f.dev, "dev", false, "tell clients ρ, and serve the demo page also with --config")
	flags.DurationVar(&f.deadline, "deadline", 0, "longest onboarding session before inconclusive (default 15s)")
	return cmd
}

func (f serveFlags) apply(cmd *cobra.Command, cfg *Config) {
	changed := cmd.Flags().Changed
	if changed("listen") {
		cfg.Ingest.Listen = f.listen
		if _, port, _ := net.SplitHostPort(f.listen); port == "0" && cfg.Ops.Listen == DefaultConfig().Ops.Listen {
			cfg.Ops.Listen = "127.0.0.1:0" // several servers run side by side
		}
	}
	if changed("udp-port") {
		cfg.WebRTC.UDPPort, cfg.WebRTC.TCPPort = f.udpPort, f.udpPort
	}
	if changed("ops-listen") {
		cfg.Ops.Listen = f.opsListen
	}
	if changed("redis") {
		cfg.Store.Redis = f.redis
	}
	if changed("deadline") {
		cfg.Session.Deadline = f.deadline
	}
}

// serveMode says what the server shows besides the API.
type serveMode struct {
	demo bool // demo page and backend; missing secrets are generated
	dev  bool // clients are told ρ
}

func (f serveFlags) mode() serveMode {
	return serveMode{demo: f.config == "" || f.dev, dev: f.dev}
}

// serve runs until ctx ends and every session has ended.
func serve(ctx context.Context, cfg Config, mode serveMode, out, errOut io.Writer) (err error) {
	log := newLogger(cfg.Log, errOut)
	hangups, release := catchHangups()
	defer release()
	if mode.demo && len(cfg.Ingest.APIKeys) == 0 {
		key := ingest.NewSecret()
		cfg.Ingest.APIKeys = []ingest.APIKey{{Key: key}}
		fmt.Fprintln(out, "development API key:", key)
	}
	s, err := openService(ctx, cfg, mode, log)
	if err != nil {
		return err
	}
	defer func() { err = s.close(err) }()
	if err := s.confine(); err != nil {
		return err
	}
	return s.run(ctx, hangups, func() { s.announce(out) })
}
