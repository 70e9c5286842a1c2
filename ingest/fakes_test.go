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
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/store"
)

// fakeStore is the memory store with an outage switch.
type fakeStore struct {
	*store.Memory
	mu      sync.Mutex
	down    bool
	pings   int
	decides int // endings that changed something
	creates int
}

func newFakeStore(now func() time.Time) *fakeStore {
	return &fakeStore{Memory: store.NewMemory(store.DefaultConfig(), now)}
}

func (f *fakeStore) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// away returns the error of the outage while there is one.
func (f *fakeStore) away() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return liveproof.ErrUnavailable
	}
	return nil
}

func (f *fakeStore) Create(ctx context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error) {
	if err := f.away(); err != nil {
		return s, false, err
	}
	f.mu.Lock()
	f.creates++
	f.mu.Unlock()
	return f.Memory.Create(ctx, s, key, hash)
}

func (f *fakeStore) Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	if err := f.away(); err != nil {
		return liveproof.Session{}, err
	}
	return f.Memory.Get(ctx, id)
}

func (f *fakeStore) List(ctx context.Context, q liveproof.SessionQuery) (liveproof.SessionPage, error) {
	if err := f.away(); err != nil {
		return liveproof.SessionPage{}, err
	}
	return f.Memory.List(ctx, q)
}

func (f *fakeStore) Claim(ctx context.Context, id liveproof.SessionID, token string, lease liveproof.Lease) error {
	if err := f.away(); err != nil {
		return err
	}
	return f.Memory.Claim(ctx, id, token, lease)
}

func (f *fakeStore) Renew(ctx context.Context, lease liveproof.Lease, ids []liveproof.SessionID) ([]liveproof.SessionID, error) {
	if err := f.away(); err != nil {
		return nil, err
	}
	return f.Memory.Renew(ctx, lease, ids)
}

func (f *fakeStore) Decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error) {
	if err := f.away(); err != nil {
		return liveproof.Session{}, err
	}
	before, _ := f.Memory.Get(ctx, id)
	stored, err := f.Memory.Decide(ctx, id, end)
	if err == nil && !before.State.Terminal() {
		f.mu.Lock()
		f.decides++
		f.mu.Unlock()
	}
	return stored, err
}

func (f *fakeStore) Ping(context.Context) error {
	f.mu.Lock()
	f.pings++
	f.mu.Unlock()
	return f.away()
}

// created counts the sessions.
func (f *fakeStore) created() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.creates
}

// record reads a session even during an outage; the zero value when it does not
// exist.
func (f *fakeStore) record(id liveproof.SessionID) liveproof.Session {
	s, _ := f.Memory.Get(context.Background(), id)
	return s
}

// fakeRTC hands out peers that the test drives.
type fakeRTC struct {
	mu     sync.Mutex
	peers  map[liveproof.SessionID]*fakePeer
	opened atomic.Int64
	err    error
	// silent peers never bring a track, slow ones never answer.
	silent, slow bool
}

func newFakeRTC() *fakeRTC { return &fakeRTC{peers: map[liveproof.SessionID]*fakePeer{}} }

func (f *fakeRTC) ICEServers(liveproof.SessionID, time.Time) []webrtc.ICEServer {
	return []webrtc.ICEServer{
		{URLs: []string{"stun:stun.example.org"}},
		{URLs: []string{"turn:turn.example.org?transport=udp"}, Username: "u", Credential: "p", CredentialType: webrtc.ICECredentialTypePassword},
	}
}

func (f *fakeRTC) CheckOffer(offer string) error { return rtc.DefaultConfig().CheckOffer(offer) }

func (f *fakeRTC) dial(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (live.Peer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened.Add(1)
	if f.err != nil {
		return nil, f.err
	}
	p := &fakePeer{done: make(chan struct{}), units: make(chan liveproof.AccessUnit, 8), onCandidate: onCandidate, silent: f.silent, slow: f.slow}
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
	slow        bool
	err         error
	mu          sync.Mutex
	candidates  []webrtc.ICECandidateInit
	fragments   []string
	iceSession  int // 0 is the first
}

func (p *fakePeer) Answer(ctx context.Context, offer string) (string, error) {
	if p.slow {
		<-ctx.Done()
		return "", ctx.Err()
	}
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

func (p *fakePeer) Restart(context.Context, string) (string, error) { return "", rtc.ErrNegotiated }

func (p *fakePeer) AddFragment(_ context.Context, f string, matches func(int) bool) (*rtc.Restarted, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !matches(p.iceSession + 1) {
		return nil, rtc.ErrOtherICESession
	}
	switch f {
	case "too many":
		return nil, rtc.ErrTooManyCandidates
	case "restart":
		p.iceSession++
		return &rtc.Restarted{Session: p.iceSession + 1, Fragment: "a=ice-ufrag:server\r\n"}, nil
	case "restarts":
		return nil, rtc.ErrTooManyRestarts
	case "garbage":
		return nil, rtc.ErrBadSDP
	case "bad candidate":
		return nil, rtc.ErrBadCandidate
	case "ended":
		return nil, rtc.ErrClosed
	}
	p.fragments = append(p.fragments, f)
	return nil, nil
}

func (p *fakePeer) Video(ctx context.Context) (liveproof.UnitSource, error) {
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

// analysis is an analyzer as a function.
type analysis func(ctx context.Context, s liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error

// fakeAnalyzer judges with a function and records the model and detector, like
// the real one.
type fakeAnalyzer struct {
	store *fakeStore
	judge analysis
}

func (a *fakeAnalyzer) Analyze(ctx context.Context, s liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	threshold, err := a.Threshold(s)
	if err != nil {
		return err
	}
	if err := a.store.SetStreaming(ctx, s.ID, a.Model(), threshold, a.Detector()); err != nil {
		return err
	}
	return a.judge(ctx, s, units, observe)
}

func (a *fakeAnalyzer) Model() liveproof.ModelInfo {
	return liveproof.ModelInfo{Name: "test", SHA256: "00", Threshold: 0.5, Demo: true}
}
func (a *fakeAnalyzer) Detector() string { return "haar" }

func (a *fakeAnalyzer) Required(_ string, _ liveproof.Mode, asked []liveproof.Evidence) []liveproof.Evidence {
	return slices.DeleteFunc(liveproof.Evidences(), func(e liveproof.Evidence) bool {
		return e != liveproof.EvidencePassive && !slices.Contains(asked, e)
	})
}

func (a *fakeAnalyzer) Calibrations() []string { return []string{"high_value", "low"} }

// Threshold judges by the request's calibration or by the model's own.
func (a *fakeAnalyzer) Threshold(s liveproof.Session) (liveproof.Threshold, error) {
	if s.Calibration != "" {
		return liveproof.Threshold{Value: 0.75, Source: liveproof.ThresholdOfRequest, Calibration: "strict-2026", CalibrationSHA256: "00"}, nil
	}
	return liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}, nil
}

// ended sends an ending to observe.
func ended(observe func(liveproof.Event), end liveproof.Ending) {
	observe(liveproof.Event{Ended: &end})
}

// untilEOF follows the stream to its end and is inconclusive.
func untilEOF(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	for {
		if _, err := units.Next(ctx); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			ended(observe, liveproof.Unjudged(liveproof.ReasonOf(err)))
			return nil
		}
	}
}

// deciding gives v after the first access unit.
func deciding(v liveproof.Verdict) analysis {
	return func(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
		if _, err := units.Next(ctx); err != nil {
			return err
		}
		hint := liveproof.ReasonNoFace
		observe(liveproof.Event{Hint: &hint})
		observe(liveproof.Event{Progress: &liveproof.Progress{Scored: 1, Needed: 10, Fraction: 0.1}})
		observe(liveproof.Event{Sample: &liveproof.SampleEvent{Sample: liveproof.Sample{Seq: 1, Scored: true, Rho: 0.9}, Smoothed: 0.9, Threshold: 0.5}})
		ended(observe, liveproof.Ending{State: liveproof.StateDecided, Verdict: v, Frames: liveproof.FrameCounts{Received: 30}})
		return nil
	}
}

func judging(a analysis) change {
	return func(_ *Config, d *Deps, s *fakeStore) { d.Analyzer = &fakeAnalyzer{s, a} }
}
