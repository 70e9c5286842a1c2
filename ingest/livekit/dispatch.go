package livekit

import (
	"context"
	"net/http"
	"sync"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/webhook"
)

const (
	// maxEvent bounds the body of a webhook, in bytes.
	maxEvent = 256 << 10
	// maxRooms bounds the rooms that one process watches. How many sessions run is the supervisor's decision.
	maxRooms = 1000
)

// Dispatcher watches each room of which LiveKit's webhooks say that a participant who is watched has joined or published a camera. It is the
// receiver of these webhooks.
type Dispatcher struct {
	cfg  Config
	deps Deps
	keys auth.KeyProvider

	mu         sync.Mutex
	running    context.Context // of Run; nil before and after it
	supervisor Supervisor
	rooms      map[string]bool
	watchers   sync.WaitGroup
}

// NewDispatcher checks the configuration, in which Room stays empty.
func NewDispatcher(cfg Config, deps Deps) (*Dispatcher, error) {
	if _, err := New(cfg.of("any"), deps); err != nil {
		return nil, err
	}
	return &Dispatcher{cfg: cfg, deps: deps, keys: auth.NewSimpleKeyProvider(cfg.Key, cfg.Secret), rooms: make(map[string]bool)}, nil
}

// of is the configuration for one room.
func (c Config) of(room string) Config {
	c.Room = room
	return c
}

// Run serves until ctx ends, and returns when every session has ended. ready is called when the server has accepted the key; the error is
// ErrRefused, or says that it does not answer.
func (d *Dispatcher) Run(ctx context.Context, s Supervisor, ready func()) error {
	probe, err := New(d.cfg.of("any"), d.deps)
	if err != nil {
		return err
	}
	if err := probe.checkAccess(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	d.running, d.supervisor = ctx, s
	d.mu.Unlock()
	ready()
	<-ctx.Done()
	d.mu.Lock()
	d.running = nil // no watcher begins after this
	d.mu.Unlock()
	d.watchers.Wait()
	return nil
}

// ServeHTTP takes a webhook. It answers 401 to one that the API key has not signed, and 503 when it can watch no further room, so that
// LiveKit sends it again.
func (d *Dispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxEvent)
	event, err := webhook.ReceiveWebhookEvent(r, d.keys)
	switch {
	case err != nil:
		d.deps.Log.Warn("a webhook was refused", "err", err)
		w.WriteHeader(http.StatusUnauthorized)
	case d.concerns(event) && !d.watch(event.GetRoom().GetName()):
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusOK)
	}
}

// concerns reports whether an event tells of somebody to watch.
func (d *Dispatcher) concerns(e *livekit.WebhookEvent) bool {
	who := e.GetParticipant()
	if e.GetRoom().GetName() == "" || !d.cfg.watches(who.GetIdentity(), who.GetKind()) {
		return false
	}
	switch e.GetEvent() {
	case webhook.EventParticipantJoined:
		return true
	case webhook.EventTrackPublished:
		return e.GetTrack().GetSource() == livekit.TrackSource_CAMERA
	}
	return false
}

// watch begins to watch a room, unless it is watched already; false when that cannot be.
func (d *Dispatcher) watch(room string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil || len(d.rooms) >= maxRooms && !d.rooms[room] {
		return false
	}
	if d.rooms[room] {
		return true
	}
	agent, err := New(d.cfg.of(room), d.deps)
	if err != nil {
		d.deps.Log.Warn("a room cannot be watched", "err", err)
		return true // sending it again would not help
	}
	d.rooms[room] = true
	ctx, s := d.running, d.supervisor
	d.watchers.Go(func() {
		err := agent.Run(ctx, s, func() {})
		if err != nil {
			agent.log.Error("the room is not watched any more", "err", err)
		}
		d.forget(room)
		if err == nil && agent.wanted(ctx) { // a room of this name was made while the watcher left, and webhooks of it came too early
			d.watch(room)
		}
	})
	return true
}

func (d *Dispatcher) forget(room string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.rooms, room)
}
