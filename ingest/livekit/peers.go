package livekit

import (
	"fmt"
	"sync"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
)

// Peers are the media of sessions that are about to be connected. All watchers of a process share one, because they share a supervisor.
// The zero value is ready.
type Peers struct {
	mu       sync.Mutex
	expected map[liveproof.SessionID]*peer
}

// Dial is the dialer of the supervisor that runs the watchers' sessions.
func (p *Peers) Dial(id liveproof.SessionID, _ func(webrtc.ICECandidateInit)) (live.Peer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.expected[id]
	if found == nil {
		return nil, fmt.Errorf("session %s is of no track: %w", id, liveproof.ErrNotFound)
	}
	return found, nil
}

// expect lets Dial find the peer until the returned function is called.
func (p *Peers) expect(id liveproof.SessionID, of *peer) (forget func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expected == nil {
		p.expected = make(map[liveproof.SessionID]*peer)
	}
	p.expected[id] = of
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.expected, id)
	}
}
