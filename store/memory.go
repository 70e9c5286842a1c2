package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// Memory keeps sessions in this process; they are lost when it ends. It is
// safe for concurrent use and never blocks.
type Memory struct {
	cfg Config
	now func() time.Time

	mu        sync.Mutex
	sessions  map[liveproof.SessionID]*record
	keys      map[string]idempotency
	tenants   map[string][]liveproof.SessionID // of each tenant, in the order of ids
	nextSweep time.Time
	outbox    *memoryOutbox // nil until WatchChanges
	watchers  map[*watcher]struct{}
}

type record struct {
	session liveproof.Session
	key     string // idempotency key, forgotten with the session
	token   string
	lastSeq int64
	changes int64 // so far
	samples []liveproof.Sample
}

// NewMemory returns an empty store; now is the clock that expires sessions.
func NewMemory(cfg Config, now func() time.Time) *Memory {
	return &Memory{
		cfg: cfg, now: now,
		sessions: make(map[liveproof.SessionID]*record),
		keys:     make(map[string]idempotency),
		tenants:  make(map[string][]liveproof.SessionID),
		watchers: make(map[*watcher]struct{}),
	}
}

// Close forgets everything.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.sessions)
	clear(m.keys)
	clear(m.tenants)
	return nil
}

// Ping always succeeds.
func (m *Memory) Ping(context.Context) error { return nil }

// Create implements ingest.Sessions.
func (m *Memory) Create(_ context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	if known, ok := m.keys[key]; ok && m.now().Before(known.expires) {
		if r, err := m.find(known.id); err == nil {
			return known.replay(r.session, hash)
		}
	}
	if _, taken := m.sessions[s.ID]; taken {
		return liveproof.Session{}, false, liveproof.ErrConflict
	}
	if len(m.sessions) >= m.cfg.MaxSessions {
		return liveproof.Session{}, false, liveproof.ErrOverloaded
	}
	s.State, s.Verdict = liveproof.StateCreated, liveproof.Pending()
	m.sessions[s.ID] = &record{session: s, key: key, changes: 1}
	m.list(s.Tenant, s.ID)
	if key != "" {
		m.keys[key] = idempotency{id: s.ID, hash: hash, expires: m.now().Add(m.cfg.IdempotencyTTL)}
	}
	return s, false, nil
}

// Get implements ingest.Sessions.
func (m *Memory) Get(_ context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	if err != nil {
		return liveproof.Session{}, err
	}
	return copied(r.session), nil
}

// Timeline implements ingest.Sessions.
func (m *Memory) Timeline(_ context.Context, id liveproof.SessionID) ([]liveproof.Sample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.samples), nil
}

// Delete implements ingest.Sessions.
func (m *Memory) Delete(_ context.Context, id liveproof.SessionID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	if err != nil {
		return err
	}
	m.forget(id, r)
	m.tell(id)
	return nil
}

// Claim implements live.Sessions.
func (m *Memory) Claim(_ context.Context, id liveproof.SessionID, tokenID string, lease liveproof.Lease) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	switch {
	case err != nil:
		return err
	case r.token == tokenID:
		return liveproof.ErrTokenUsed
	case r.session.State != liveproof.StateCreated:
		return liveproof.ErrConflict
	}
	r.token = tokenID
	r.session.State, r.session.Lease = liveproof.StateConnecting, lease
	m.changed(r)
	return nil
}

// Renew implements live.Sessions.
func (m *Memory) Renew(_ context.Context, lease liveproof.Lease, ids []liveproof.SessionID) (lost []liveproof.SessionID, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		r, err := m.find(id)
		if err != nil || r.session.State.Terminal() || r.session.Lease.Owner != lease.Owner {
			lost = append(lost, id)
			continue
		}
		r.session.Lease = lease
	}
	return lost, nil
}

// Lapsed implements live.Sessions.
func (m *Memory) Lapsed(_ context.Context, limit int) (lapsed []liveproof.Session, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for _, r := range m.sessions {
		if len(lapsed) == limit {
			break
		}
		if r.session.Lapsed(now) {
			lapsed = append(lapsed, copied(r.session))
		}
	}
	return lapsed, nil
}

// Lapse implements live.Sessions.
func (m *Memory) Lapse(_ context.Context, found liveproof.Session, end liveproof.Ending) (liveproof.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(found.ID)
	switch {
	case err != nil:
		return liveproof.Session{}, err
	case r.session.State.Terminal():
		return copied(r.session), liveproof.ErrDecided
	case r.session.Lease != found.Lease:
		return copied(r.session), liveproof.ErrConflict
	}
	return m.decide(r, end)
}

// SetStreaming implements engine.Recorder.
func (m *Memory) SetStreaming(_ context.Context, id liveproof.SessionID, model liveproof.ModelInfo,
	threshold liveproof.Threshold, detector string,
) error {
	if err := checkThreshold(threshold); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	if err != nil {
		return err
	}
	same := r.session.Model == model && r.session.Threshold == threshold && r.session.Detector == detector
	switch {
	case r.session.State == liveproof.StateConnecting:
		defer m.changed(r)
	case r.session.State == liveproof.StateStreaming && (same || r.lastSeq == 0):
	default:
		return liveproof.ErrConflict
	}
	r.session.State, r.session.Model, r.session.Threshold, r.session.Detector = liveproof.StateStreaming, model, threshold, detector
	return nil
}

// AppendSamples implements pipeline.Recorder.
func (m *Memory) AppendSamples(_ context.Context, id liveproof.SessionID, samples []liveproof.Sample,
	counts liveproof.FrameCounts, current liveproof.Verdict,
) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	if err != nil {
		return err
	}
	r.append(samples)
	if r.session.State.Terminal() {
		return liveproof.ErrDecided
	}
	if r.session.Verdict.Outcome != current.Outcome {
		m.changed(r)
		m.outbox.note(r, liveproof.ChangeVerdict, current.Outcome)
	}
	r.session.Frames, r.session.Verdict = counts, current
	return nil
}

// Decide implements live.Sessions.
func (m *Memory) Decide(_ context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(id)
	if err != nil {
		return liveproof.Session{}, err
	}
	return m.decide(r, end)
}

// decide ends the session and notes the change.
func (m *Memory) decide(r *record, end liveproof.Ending) (liveproof.Session, error) {
	ended := r.session.State.Terminal()
	stored, err := r.decide(end, m.now())
	if err == nil && !ended {
		m.changed(r)
		stored.ChangedAt = r.session.ChangedAt
		m.outbox.note(r, string(stored.State), stored.Verdict.Outcome)
	}
	return stored, err
}

// append adds the samples that the timeline does not hold yet, and drops the
// oldest above the cap.
func (r *record) append(samples []liveproof.Sample) {
	for _, s := range samples {
		if s.Seq > r.lastSeq {
			r.samples = append(r.samples, s)
			r.lastSeq = s.Seq
		}
	}
	if extra := len(r.samples) - MaxTimeline; extra > 0 {
		r.samples = slices.Delete(r.samples, 0, extra)
	}
}

// decide ends the session, once, and returns its record.
func (r *record) decide(end liveproof.Ending, now time.Time) (liveproof.Session, error) {
	r.append(end.Samples)
	s := &r.session
	if s.State.Terminal() {
		if stands(*s, end) {
			return copied(*s), nil
		}
		return copied(*s), liveproof.ErrDecided
	}
	s.State, s.Verdict, s.DecidedAt = end.State, end.Verdict, now
	s.Frames = framesOr(end.Frames, s.Frames)
	return copied(*s), nil
}

// copied shares nothing with the record.
func copied(s liveproof.Session) liveproof.Session {
	s.Verdict.Reasons = slices.Clone(s.Verdict.Reasons)
	return s
}

func (m *Memory) find(id liveproof.SessionID) (*record, error) {
	r, ok := m.sessions[id]
	if !ok || !m.now().Before(r.session.ExpiresAt) {
		return nil, liveproof.ErrNotFound
	}
	return r, nil
}

// sweep drops what has expired, at most once a minute.
func (m *Memory) sweep() {
	now := m.now()
	if now.Before(m.nextSweep) {
		return
	}
	m.nextSweep = now.Add(time.Minute)
	for id, r := range m.sessions {
		if !now.Before(r.session.ExpiresAt) {
			m.forget(id, r)
		}
	}
}

// forget drops a session and the key that made it, so that keys never outnumber sessions.
func (m *Memory) forget(id liveproof.SessionID, r *record) {
	delete(m.sessions, id)
	m.unlist(r.session.Tenant, id)
	if m.keys[r.key].id == id {
		delete(m.keys, r.key)
	}
}
