package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
)

// memoryOutbox is the outbox of a single process: its changes and deliveries end with it.
type memoryOutbox struct {
	told       int // changes so far
	changes    []liveproof.Change
	deliveries map[string]*queued
	waiting    map[string]int // deliveries of each tenant
}

// queued is a delivery in memory.
type queued struct {
	tenant string
	body   []byte
	due    time.Time
}

// WatchChanges keeps changes from now on until they are acknowledged.
func (m *Memory) WatchChanges(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outbox == nil {
		m.outbox = &memoryOutbox{deliveries: make(map[string]*queued), waiting: make(map[string]int)}
	}
	return nil
}

// note keeps the record's newest change; it does nothing before WatchChanges. Above the bound the oldest is forgotten.
func (o *memoryOutbox) note(r *record, event string, verdict liveproof.Outcome) {
	if o == nil {
		return
	}
	o.told++
	o.changes = append(o.changes, liveproof.Change{
		ID: strconv.Itoa(o.told), Session: r.session.ID, Number: r.changes, Event: event, Verdict: verdict, At: r.session.ChangedAt,
	})
	if len(o.changes) > maxOutbox {
		o.changes = slices.Delete(o.changes, 0, 1)
	}
}

// Changes implements webhooks.Outbox.
func (m *Memory) Changes(context.Context) ([]liveproof.Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.outbox.changes), nil
}

// Acknowledge implements webhooks.Outbox.
func (m *Memory) Acknowledge(_ context.Context, changes []liveproof.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outbox.changes = slices.DeleteFunc(m.outbox.changes, func(c liveproof.Change) bool { return slices.Contains(changes, c) })
	return nil
}

// Enqueue implements webhooks.Outbox.
func (m *Memory) Enqueue(_ context.Context, d liveproof.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, kept := m.outbox.deliveries[d.Key]; kept {
		return nil
	}
	if m.outbox.waiting[d.Tenant] >= maxOutbox {
		return liveproof.ErrOverloaded
	}
	m.outbox.waiting[d.Tenant]++
	m.outbox.deliveries[d.Key] = &queued{d.Tenant, d.Body, m.now()}
	return nil
}

// Due implements webhooks.Outbox.
func (m *Memory) Due(_ context.Context, tenant string, lease time.Duration, most int) (due []liveproof.Delivery, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for key, q := range m.outbox.deliveries {
		if len(due) == most {
			break
		}
		if q.tenant == tenant && !now.Before(q.due) {
			q.due = now.Add(lease)
			due = append(due, liveproof.Delivery{Key: key, Tenant: tenant, Body: q.body})
		}
	}
	return due, nil
}

// Postpone implements webhooks.Outbox.
func (m *Memory) Postpone(_ context.Context, d liveproof.Delivery, pause time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q, kept := m.outbox.deliveries[d.Key]; kept {
		q.body, q.due = d.Body, m.now().Add(pause)
	}
	return nil
}

// Delivered implements webhooks.Outbox.
func (m *Memory) Delivered(_ context.Context, d liveproof.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q, kept := m.outbox.deliveries[d.Key]; kept {
		m.outbox.waiting[q.tenant]--
		delete(m.outbox.deliveries, d.Key)
	}
	return nil
}

// Bury implements webhooks.Outbox: in memory a dead letter is forgotten; the log names it.
func (m *Memory) Bury(ctx context.Context, d liveproof.Delivery) error {
	return m.Delivered(ctx, d)
}
