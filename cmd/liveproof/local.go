package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/publish"
	"github.com/liveproof/liveproof/results"
	"github.com/liveproof/liveproof/store"
	"github.com/liveproof/liveproof/webhooks"
)

// withLocalServer runs the real server inside this process while use runs. The server is reachable on loopback only, on free ports, keeps
// its sessions in memory and logs warnings and errors. It outlives use, also when ctx ends, so that sessions end as usual.
func withLocalServer(ctx context.Context, cfg Config, errOut io.Writer, use func(context.Context, publish.Client) error) error {
	cfg = localConfig(cfg)
	s, err := openService(ctx, cfg, serveMode{}, newLogger(cfg.Log, errOut))
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}} //nolint:mnd // a connection for each of many sessions
	defer client.CloseIdleConnections()
	group, groupCtx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return s.run(serving, nil, func() {}) })
	group.Go(func() error {
		defer stop()
		defer client.CloseIdleConnections()
		return use(groupCtx, publish.Client{
			Server: baseURL(s.server.Addr().String(), false), APIKey: cfg.Ingest.APIKeys[0].Key, HTTP: client,
		})
	})
	return s.close(group.Wait())
}

// localConfig keeps of the configuration what decides about verdicts, and replaces what says how a server is reached.
func localConfig(cfg Config) Config {
	cfg.Ingest.Listen, cfg.Ingest.PublicURL, cfg.Ingest.TLSCert, cfg.Ingest.TLSKey = "127.0.0.1:0", "", "", ""
	cfg.Ingest.APIKeys, cfg.Ingest.TokenSecret = []ingest.APIKey{{Key: ingest.NewSecret()}}, ingest.NewSecret()
	const unlimited = 1_000_000 // all requests come from one address
	cfg.Ingest.RatePerIP = ingest.Rate{PerSecond: unlimited, Burst: unlimited}
	cfg.Ingest.RatePerTenant = cfg.Ingest.RatePerIP
	cfg.WebRTC.UDPPort, cfg.WebRTC.TCPPort, cfg.WebRTC.Bind = 0, -1, rtc.BindLoopback
	cfg.WebRTC.PublicIPs, cfg.WebRTC.Interfaces, cfg.WebRTC.STUNURLs, cfg.WebRTC.TURNURLs = nil, nil, nil, nil
	cfg.Ops, cfg.Store, cfg.Results, cfg.Webhooks = OpsConfig{Sandbox: sandboxOff}, store.DefaultConfig(), results.DefaultConfig(), webhooks.DefaultConfig()
	cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn)
	return cfg
}
