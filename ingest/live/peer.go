package live

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// Dial returns the dialer of a WebRTC API.
func Dial(api *rtc.API) Dialer {
	return func(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (Peer, error) {
		p, err := api.NewPeer(id, onCandidate)
		if err != nil {
			return nil, err
		}
		return peer{p}, nil
	}
}

type peer struct{ *rtc.Peer }

func (p peer) Video(ctx context.Context) (liveproof.UnitSource, error) {
	v, err := p.Peer.Video(ctx)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// peerUnits is a stream that ends with liveproof.ErrIdle when its peer fell
// silent, and with io.EOF otherwise.
type peerUnits struct {
	liveproof.UnitSource
	peer        Peer
	attestation func() string
	declined    func(id string) bool
	adjusts     func() bool
	probe       func(liveproof.Probe)
}

var (
	_ liveproof.LayeredSource = peerUnits{}
	_ liveproof.LossCounter   = peerUnits{}
	_ liveproof.BitrateSource = peerUnits{}
	_ liveproof.DelaySource   = peerUnits{}
	_ liveproof.SenderSource  = peerUnits{}

	_ liveproof.DecliningSource = peerUnits{}
	_ liveproof.ProbedSource    = peerUnits{}
)

// PreferLarger implements liveproof.LayeredSource; a source with one stream has nothing larger.
func (e peerUnits) PreferLarger() {
	if layered, ok := e.UnitSource.(liveproof.LayeredSource); ok {
		layered.PreferLarger()
	}
}

// Reduced implements liveproof.LayeredSource; a source with one stream has nothing larger.
func (e peerUnits) Reduced() bool {
	layered, ok := e.UnitSource.(liveproof.LayeredSource)
	return ok && layered.Reduced()
}

// PreferFiner implements liveproof.BitrateSource; not every source can ask its sender.
func (e peerUnits) PreferFiner() {
	if b, ok := e.UnitSource.(liveproof.BitrateSource); ok {
		b.PreferFiner()
	}
}

// RoundTrip implements liveproof.DelaySource; not every source knows it.
func (e peerUnits) RoundTrip() (roundTrip time.Duration, known bool) {
	if d, ok := e.UnitSource.(liveproof.DelaySource); ok {
		return d.RoundTrip()
	}
	return 0, false
}

// Declined implements liveproof.DecliningSource.
func (e peerUnits) Declined(id string) bool { return e.declined(id) }

// Withheld passes on what the peer's video counts.
func (e peerUnits) Withheld() int64 {
	if c, ok := e.UnitSource.(liveproof.LossCounter); ok {
		return c.Withheld()
	}
	return 0
}

// Sender passes on what the peer's video knows, with the client's attestation.
func (e peerUnits) Sender() (s liveproof.Sender) {
	if known, ok := e.UnitSource.(liveproof.SenderSource); ok {
		s = known.Sender()
	}
	s.Attestation, s.Adjusts = e.attestation(), e.adjusts()
	return s
}

// Probe implements liveproof.ProbedSource.
func (e peerUnits) Probe(p liveproof.Probe) { e.probe(p) }

func (e peerUnits) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	u, err := e.UnitSource.Next(ctx)
	if errors.Is(err, io.EOF) && errors.Is(e.peer.Err(), liveproof.ErrIdle) {
		return u, liveproof.ErrIdle
	}
	return u, err
}
