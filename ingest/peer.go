package ingest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// RTC makes peer connections; NewRTC adapts *rtc.API to it.
type RTC interface {
	// ICEServers are the STUN and TURN servers for the client, with time-limited credentials.
	ICEServers(id liveproof.SessionID, now time.Time) []webrtc.ICEServer
	// CheckOffer refuses what no peer would answer, with rtc.ErrBadSDP, before anything is spent on it.
	CheckOffer(offer string) error
	// NewPeer starts a connection. With a nil onCandidate the answer carries all candidates.
	NewPeer(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (Peer, error)
}

// Peer is one connection that receives video.
type Peer interface {
	// Answer takes the one offer; an SDP that cannot be used wraps rtc.ErrBadSDP.
	Answer(ctx context.Context, offer string) (answer string, err error)
	AddCandidate(c webrtc.ICECandidateInit) error
	// AddFragment takes a trickle-ice-sdpfrag (RFC 8840).
	AddFragment(fragment string) error
	// Video blocks for the first video track.
	Video(ctx context.Context) (Video, error)
	// Done closes when the connection is lost for good or closed; then Err tells why.
	Done() <-chan struct{}
	Err() error
	Close() error
}

// NewRTC lets the server use api.
func NewRTC(api *rtc.API) RTC { return rtcAPI{api} }

type rtcAPI struct{ *rtc.API }

func (a rtcAPI) NewPeer(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (Peer, error) {
	p, err := a.API.NewPeer(id, onCandidate)
	if err != nil {
		return nil, err
	}
	return rtcPeer{p}, nil
}

type rtcPeer struct{ *rtc.Peer }

func (p rtcPeer) Video(ctx context.Context) (Video, error) {
	v, err := p.Peer.Video(ctx)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// explained is a video whose end says liveproof.ErrIdle when its peer fell
// silent; every other end is a plain io.EOF.
type explained struct {
	Video
	peer Peer
}

func (v explained) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	u, err := v.Video.Next(ctx)
	if errors.Is(err, io.EOF) && errors.Is(v.peer.Err(), liveproof.ErrIdle) {
		return u, liveproof.ErrIdle
	}
	return u, err
}
