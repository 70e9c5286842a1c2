package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/store"
	"github.com/liveproof/liveproof/webhooks"
)

// sessionStore is what serve needs from a store; both stores of package store
// implement it.
type sessionStore interface {
	ingest.Sessions
	engine.Recorder
	webhooks.Outbox
	// WatchChanges begins to keep changes for the outbox.
	WatchChanges(ctx context.Context) error
	io.Closer
}

// openStore connects to Redis where one is named: a Redis that does not answer
// at the start is an error, later it is a state that heals.
func openStore(ctx context.Context, cfg store.Config, log *slog.Logger) (sessionStore, error) {
	if cfg.Redis == "" {
		log.Info("sessions are kept in memory and end with this process; --redis URL keeps them")
		return store.NewMemory(cfg, time.Now), nil
	}
	db, err := store.NewRedis(cfg, time.Now)
	if err != nil {
		return nil, usage(fmt.Errorf("configuration: store.redis: %w", err))
	}
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("the Redis of --redis / store.redis does not answer: is it running, and is the address right? %w", err)
	}
	db.LogOutages(log)
	log.Info("sessions are kept in Redis")
	return db, nil
}
