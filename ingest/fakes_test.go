package ingest

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// fakeStore is the contract of Sessions in memory, with an outage switch. The
// real stores are tested by package store and end to end by cmd/liveproof.
type fakeStore struct {
	mu       sync.Mutex
	sessions map[liveproof.SessionID]liveproof.Session
	tokens   map[liveproof.SessionID]string
	keys     map[string][2]string
	samples  map[liveproof.SessionID][]liveproof.Sample
	down     bool
	pings    int
	decides  int // writes that changed something
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		sessions: map[liveproof.SessionID]liveproof.Session{}, tokens: map[liveproof.SessionID]string{},
		keys: map[string][2]string{}, samples: map[liveproof.SessionID][]liveproof.Sample{},
	}
}

func (f *fakeStore) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// open locks; the error is the outage.
func (f *fakeStore) open() error {
	f.mu.Lock()
	if f.down {
		return liveproof.ErrUnavailable
	}
	return nil
}

func (f *fakeStore) Create(_ context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error) {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return s, false, err
	}
	if known, ok := f.keys[key]; ok && key != "" {
		if known[1] != hash {
			return s, false, liveproof.ErrIdempotencyMismatch
		}
		return f.sessions[liveproof.SessionID(known[0])], true, nil
	}
	f.keys[key] = [2]string{string(s.ID), hash}
	f.sessions[s.ID] = s
	return s, false, nil
}

func (f *fakeStore) get(id liveproof.SessionID) (liveproof.Session, error) {
	s, ok := f.sessions[id]
	if !ok {
		return s, liveproof.ErrNotFound
	}
	return s, nil
}

func (f *fakeStore) Get(_ context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return liveproof.Session{}, err
	}
	return f.get(id)
}

func (f *fakeStore) Timeline(_ context.Context, id liveproof.SessionID) ([]liveproof.Sample, error) {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	_, err = f.get(id)
	return slices.Clone(f.samples[id]), err
}

func (f *fakeStore) Delete(_ context.Context, id liveproof.SessionID) error {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = f.get(id)
	delete(f.sessions, id)
	for key, known := range f.keys {
		if known[0] == string(id) {
			delete(f.keys, key) // a key lives as long as its session
		}
	}
	return err
}

func (f *fakeStore) Claim(_ context.Context, id liveproof.SessionID, token string) error {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	s, err := f.get(id)
	switch {
	case err != nil:
		return err
	case f.tokens[id] == token:
		return liveproof.ErrTokenUsed
	case s.State != liveproof.StateCreated:
		return liveproof.ErrConflict
	}
	f.tokens[id], s.State = token, liveproof.StateConnecting
	f.sessions[id] = s
	return nil
}

func (f *fakeStore) SetStreaming(_ context.Context, id liveproof.SessionID, m liveproof.ModelInfo, detector string) error {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	s, err := f.get(id)
	if err != nil {
		return err
	}
	if s.State != liveproof.StateConnecting {
		return liveproof.ErrConflict
	}
	s.State, s.Model, s.Detector = liveproof.StateStreaming, m, detector
	f.sessions[id] = s
	return nil
}

func (f *fakeStore) Decide(_ context.Context, id liveproof.SessionID, end liveproof.State, v liveproof.Verdict, n liveproof.FrameCounts) error {
	err := f.open()
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	s, err := f.get(id)
	if err != nil {
		return err
	}
	if s.State.Terminal() {
		return liveproof.ErrDecided
	}
	s.State, s.Verdict, s.Frames, s.DecidedAt = end, v, n, time.Now()
	f.sessions[id] = s
	f.decides++
	return nil
}

func (f *fakeStore) Ping(context.Context) error {
	err := f.open()
	defer f.mu.Unlock()
	f.pings++
	return err
}

// fakeRTC hands out peers that the test drives.
type fakeRTC struct {
	mu     sync.Mutex
	peers  map[liveproof.SessionID]*fakePeer
	opened atomic.Int64
	err    error
	// silent peers never bring a track.
	silent bool
}

func newFakeRTC() *fakeRTC { return &fakeRTC{peers: map[liveproof.SessionID]*fakePeer{}} }

func (f *fakeRTC) ICEServers(liveproof.SessionID, time.Time) []webrtc.ICEServer {
	return []webrtc.ICEServer{
		{URLs: []string{"stun:stun.example.org"}},
		{URLs: []string{"turn:turn.example.org?transport=udp"}, Username: "u", Credential: "p", CredentialType: webrtc.ICECredentialTypePassword},
	}
}

func (f *fakeRTC) CheckOffer(offer string) error { return rtc.DefaultConfig().CheckOffer(offer) }

func (f *fakeRTC) NewPeer(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (Peer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened.Add(1)
	if f.err != nil {
		return nil, f.err
	}
	p := &fakePeer{done: make(chan struct{}), units: make(chan liveproof.AccessUnit, 8), onCandidate: onCandidate, silent: f.silent}
	f.peers[id] = p
	return p, nil
}

func (f *fakeRTC) peer(id liveproof.SessionID) *fakePeer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peers[id]
}

type fakePeer struct {
	once        sync.Once
	done        chan struct{}
	units       chan liveproof.AccessUnit
	onCandidate func(webrtc.ICECandidateInit)
	silent      bool
	err         error
	mu          sync.Mutex
	candidates  []webrtc.ICECandidateInit
	fragments   []string
}

func (p *fakePeer) Answer(_ context.Context, offer string) (string, error) {
	if offer == badOffer {
		return "", rtc.ErrBadSDP
	}
	if p.onCandidate != nil {
		p.onCandidate(webrtc.ICECandidateInit{Candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host"})
		p.onCandidate(webrtc.ICECandidateInit{})
	}
	return "v=0\r\nanswer\r\n", nil
}

func (p *fakePeer) AddCandidate(c webrtc.ICECandidateInit) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.candidates) == rtc.DefaultConfig().MaxCandidates {
		return rtc.ErrTooManyCandidates
	}
	p.candidates = append(p.candidates, c)
	return nil
}

func (p *fakePeer) AddFragment(f string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch f {
	case "too many":
		return rtc.ErrTooManyCandidates
	case "restart":
		return rtc.ErrRestartUnsupported
	case "garbage":
		return rtc.ErrBadSDP
	}
	p.fragments = append(p.fragments, f)
	return nil
}

func (p *fakePeer) Video(ctx context.Context) (Video, error) {
	if p.silent {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.done:
			return nil, rtc.ErrClosed
		}
	}
	return p, nil
}

func (p *fakePeer) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	select {
	case <-ctx.Done():
		return liveproof.AccessUnit{}, ctx.Err()
	case <-p.done:
		return liveproof.AccessUnit{}, io.EOF
	case u := <-p.units:
		return u, nil
	}
}

func (p *fakePeer) RequestKeyFrame()      {}
func (p *fakePeer) Done() <-chan struct{} { return p.done }
func (p *fakePeer) Err() error            { return p.err }
func (p *fakePeer) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// fakeAnalyzer judges with a function; like the real one it writes its verdict itself.
type fakeAnalyzer struct {
	judge func(ctx context.Context, s liveproof.Session, v Video, observe func(liveproof.Event)) (liveproof.Verdict, error)
}

func (a *fakeAnalyzer) Analyze(ctx context.Context, s liveproof.Session, v Video, observe func(liveproof.Event)) (liveproof.Verdict, error) {
	return a.judge(ctx, s, v, observe)
}

func (a *fakeAnalyzer) Model() liveproof.ModelInfo {
	return liveproof.ModelInfo{Name: "test", SHA256: "00", Threshold: 0.5, Demo: true}
}
func (a *fakeAnalyzer) Detector() string { return "haar" }

// untilEOF watches the stream to its end and is inconclusive, written to the store.
func untilEOF(store *fakeStore) *fakeAnalyzer {
	return &fakeAnalyzer{func(ctx context.Context, s liveproof.Session, v Video, _ func(liveproof.Event)) (liveproof.Verdict, error) {
		for {
			if _, err := v.Next(ctx); err != nil {
				if ctx.Err() != nil {
					err = context.Cause(ctx)
				}
				end := unjudged(reasonOf(err))
				return end.Verdict, store.Decide(context.WithoutCancel(ctx), s.ID, end.State, end.Verdict, end.Counts)
			}
		}
	}}
}

// deciding gives v after the first access unit.
func deciding(store *fakeStore, v liveproof.Verdict) *fakeAnalyzer {
	return &fakeAnalyzer{func(ctx context.Context, s liveproof.Session, video Video, observe func(liveproof.Event)) (liveproof.Verdict, error) {
		if _, err := video.Next(ctx); err != nil {
			return liveproof.Verdict{}, err
		}
		hint := liveproof.ReasonNoFace
		observe(liveproof.Event{Hint: &hint})
		observe(liveproof.Event{Progress: &liveproof.Progress{Scored: 1, Needed: 10, Fraction: 0.1}})
		observe(liveproof.Event{Sample: &liveproof.SampleEvent{Sample: liveproof.Sample{Seq: 1, Scored: true, Rho: 0.9}, Smoothed: 0.9}})
		observe(liveproof.Event{Verdict: &v})
		return v, store.Decide(ctx, s.ID, liveproof.StateDecided, v, liveproof.FrameCounts{Received: 30})
	}}
}
