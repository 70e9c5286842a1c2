package livekit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// peer is the media side of one session: the packets of a track from the session's begin to its end. LiveKit's library has negotiated the
// connection, so nothing is negotiated here.
type peer struct {
	idle  time.Duration
	ended chan struct{}

	mu    sync.Mutex // guards the rest; a Track takes one call at a time
	track *rtc.Track
	err   error
	done  bool
	timer *time.Timer // ends an idle peer
}

var _ live.Peer = (*peer)(nil)

func newPeer(track *rtc.Track, idle time.Duration) *peer {
	p := &peer{idle: idle, ended: make(chan struct{}), track: track}
	p.timer = time.AfterFunc(idle, func() { p.end(fmt.Errorf("for %v: %w", idle, liveproof.ErrIdle)) })
	return p
}

// push takes one RTP packet; false once the peer has ended.
func (p *peer) push(raw []byte, now time.Time) bool {
	p.mu.Lock()
	if p.done {
		p.mu.Unlock()
		return false
	}
	p.timer.Reset(p.idle)
	err := p.track.Push(raw, now)
	p.mu.Unlock()
	if err != nil {
		p.end(err)
	}
	return err == nil
}

// end ends the peer, once. Without an error this side has ended it.
func (p *peer) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.done, p.err = true, err
	p.timer.Stop()
	p.track.Close()
	close(p.ended)
}

// Video implements live.Peer. A peer is made when packets come.
func (p *peer) Video(context.Context) (liveproof.UnitSource, error) { return p.track.Video(), nil }

// Done implements live.Peer.
func (p *peer) Done() <-chan struct{} { return p.ended }

// Err implements live.Peer.
func (p *peer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Close implements live.Peer.
func (p *peer) Close() error {
	p.end(nil)
	return nil
}

// Answer implements live.Peer: there is nothing to negotiate.
func (p *peer) Answer(context.Context, string) (string, error) { return "", rtc.ErrNegotiated }

// Restart implements live.Peer.
func (p *peer) Restart(context.Context, string) (string, error) { return "", rtc.ErrNegotiated }

// AddCandidate implements live.Peer.
func (p *peer) AddCandidate(webrtc.ICECandidateInit) error { return rtc.ErrNegotiated }

// AddFragment implements live.Peer.
func (p *peer) AddFragment(context.Context, string, func(int) bool) (*rtc.Restarted, error) {
	return nil, rtc.ErrNegotiated
}
