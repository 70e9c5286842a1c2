// Package webhooks tells integrators' backends of their sessions' ends and of calls whose verdict changes, signed as Standard Webhooks
// (https://www.standardwebhooks.com) has it. Every message is delivered at least once, as long as the receiver answers within the
// attempts that the configuration allows; after them it is a dead letter, which can be sent again.
package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel/trace"

	"github.com/liveproof/liveproof"
)

// Outbox is the store's side. Every call may block on the network within ctx.
type Outbox interface {
	Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error)
	// Changes returns changes that were not acknowledged: new ones, and those that another server took and did not acknowledge
	// within half a minute.
	Changes(ctx context.Context) ([]liveproof.Change, error)
	// Acknowledge says that these changes are dealt with.
	Acknowledge(ctx context.Context, changes []liveproof.Change) error
	// Enqueue keeps a delivery that is due at once; one whose key is kept already stays as it is. It returns
	// liveproof.ErrOverloaded when too many of the tenant wait.
	Enqueue(ctx context.Context, d liveproof.Delivery) error
	// Due takes deliveries of a tenant that are due, at most so many. Nobody else gets them for the lease.
	Due(ctx context.Context, tenant string, lease time.Duration, most int) ([]liveproof.Delivery, error)
	// Postpone replaces the body of a delivery, which is due again after the pause.
	Postpone(ctx context.Context, d liveproof.Delivery, pause time.Duration) error
	// Delivered forgets a delivery.
	Delivered(ctx context.Context, d liveproof.Delivery) error
	// Bury makes a delivery a dead letter. The oldest are forgotten above a bound.
	Bury(ctx context.Context, d liveproof.Delivery) error
}

const (
	workers = 4               // attempts at the same time for one tenant
	rest    = time.Second     // between two looks at an empty queue, and after an error of the store
	margin  = 5 * time.Second // by which a lease outlasts an attempt
)

// Sender sends webhooks. Run does all its work.
type Sender struct {
	cfg     Config
	outbox  Outbox
	log     *slog.Logger
	now     func() time.Time
	client  *http.Client
	signers map[string][]*standardwebhooks.Webhook
	metrics *metrics
	tracer  trace.Tracer // nil traces nothing
}

// New checks the configuration; nothing is sent before Run.
func New(cfg Config, outbox Outbox, log *slog.Logger, reg prometheus.Registerer, now func() time.Time) (*Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("webhooks.%w", err)
	}
	s := &Sender{
		cfg: cfg, outbox: outbox, log: log, now: now, client: newClient(cfg),
		signers: make(map[string][]*standardwebhooks.Webhook), metrics: newMetrics(reg),
	}
	for tenant, secrets := range cfg.Secrets {
		s.signers[tenant], _ = signersOf(secrets) // Validate has read them
	}
	return s, nil
}

// Trace makes a span of every attempt, whose traceparent the receiver gets; call it before Run.
func (s *Sender) Trace(t trace.Tracer) { s.tracer = t }

// Run gathers changes and sends messages until ctx ends. An attempt that is under way then is repeated by the next server.
func (s *Sender) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	var wg sync.WaitGroup
	wg.Go(func() { s.repeat(ctx, s.gather) })
	for tenant := range s.cfg.URLs { // a tenant's slow receiver holds up its own messages only
		for range workers {
			wg.Go(func() {
				s.repeat(ctx, func(ctx context.Context) (bool, error) { return s.send(ctx, tenant) })
			})
		}
	}
	wg.Wait()
	return nil
}

// repeat calls step until ctx ends, and rests when it found nothing to do or failed. The store logs its own outages.
func (s *Sender) repeat(ctx context.Context, step func(context.Context) (busy bool, err error)) {
	for ctx.Err() == nil {
		busy, err := step(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, liveproof.ErrUnavailable) {
			s.log.Error("webhooks", "err", err)
		}
		if busy && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

// gather turns changes into deliveries. A change is acknowledged after its delivery is kept, so that none is lost when the server dies
// in between.
func (s *Sender) gather(ctx context.Context) (bool, error) {
	changes, err := s.outbox.Changes(ctx)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	for _, change := range changes {
		if err := s.enqueue(ctx, change); err != nil {
			return false, err
		}
	}
	return true, s.outbox.Acknowledge(ctx, changes)
}

// enqueue keeps the message about a change, if its tenant has a receiver.
func (s *Sender) enqueue(ctx context.Context, change liveproof.Change) error {
	if _, told := typeOf(change, liveproof.Session{Mode: liveproof.ModeCall}); !told {
		return nil
	}
	session, err := s.outbox.Get(ctx, change.Session)
	switch {
	case errors.Is(err, liveproof.ErrUnavailable), ctx.Err() != nil:
		return err
	case err != nil: // deleted or damaged: there is nothing to tell
		s.log.Debug("no webhook for a session that cannot be read", "session", change.Session, "err", err)
		return nil
	}
	kind, told := typeOf(change, session)
	if !told || s.cfg.URLs[session.Tenant] == "" {
		return nil
	}
	l, err := letterOf(kind, change, session)
	if err != nil {
		return err
	}
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	err = s.outbox.Enqueue(ctx, liveproof.Delivery{Key: l.ID, Tenant: session.Tenant, Body: body})
	if errors.Is(err, liveproof.ErrOverloaded) { // the other tenants' messages go on
		s.metrics.attempts.WithLabelValues(session.Tenant, string(kind), "dropped").Inc()
		s.log.Error("a webhook is lost, because too many of this tenant wait", "webhook", l.ID, "tenant", session.Tenant)
		return nil
	}
	return err
}

// send makes one attempt for the tenant's delivery that is due for longest.
func (s *Sender) send(ctx context.Context, tenant string) (bool, error) {
	due, err := s.outbox.Due(ctx, tenant, s.cfg.Timeout+margin, 1)
	if err != nil || len(due) == 0 {
		return false, err
	}
	return true, s.attempt(ctx, due[0])
}

// attempt sends a delivery once and tells the outbox what came of it.
func (s *Sender) attempt(ctx context.Context, d liveproof.Delivery) error {
	var l letter
	if err := json.Unmarshal(d.Body, &l); err != nil {
		return errors.Join(fmt.Errorf("delivery %s: %w", d.Key, err), s.outbox.Bury(ctx, d))
	}
	err := s.trace(ctx, l)
	if err == nil {
		s.metrics.attempts.WithLabelValues(l.Tenant, string(l.Type), "delivered").Inc()
		return s.outbox.Delivered(ctx, d)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // this server ends; the delivery is due again when the lease is over
	}
	l.Attempts, l.Error, l.Sent = l.Attempts+1, err.Error(), s.now().UTC()
	var marshalled error
	if d.Body, marshalled = json.Marshal(l); marshalled != nil {
		return marshalled
	}
	if l.Attempts >= s.cfg.Attempts || errors.Is(err, errGone) {
		s.metrics.attempts.WithLabelValues(l.Tenant, string(l.Type), "dead").Inc()
		s.log.Error("a webhook is a dead letter; liveproof webhooks replay sends it again", "webhook", l.ID, "tenant", l.Tenant, "attempts", l.Attempts, "err", err)
		return s.outbox.Bury(ctx, d)
	}
	s.metrics.attempts.WithLabelValues(l.Tenant, string(l.Type), "failed").Inc()
	s.log.Debug("webhook failed", "webhook", l.ID, "tenant", l.Tenant, "attempts", l.Attempts, "err", err)
	return s.outbox.Postpone(ctx, d, s.cfg.pause(l.Attempts))
}
