// Package rtc is the media side of a live session: WebRTC peer connections
// that only receive, on one UDP port (ICE mux, RFC 8445) and one TCP port
// (RFC 6544) for all sessions, and the reassembly of RTP packets into complete
// access units.
package rtc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
)

// Errors of this package; test with errors.Is.
var (
	// ErrBadSDP: the offer or fragment is not SDP, too large or not acceptable.
	ErrBadSDP = errors.New("unacceptable session description")
	// ErrNoVideo: the offer has no video section that sends; wraps ErrBadSDP.
	ErrNoVideo = errors.New("no video to receive")
	// ErrRestartUnsupported: the fragment asks for an ICE restart (RFC 9725, 4.3.4).
	ErrRestartUnsupported = errors.New("ICE restart is not supported")
	// ErrBadCandidate: not an ICE candidate.
	ErrBadCandidate = errors.New("unacceptable ICE candidate")
	// ErrTooManyCandidates: the peer's candidates exceed the cap; the extra one is ignored.
	ErrTooManyCandidates = errors.New("too many ICE candidates")
	// ErrNegotiated: the peer has answered an offer already.
	ErrNegotiated = errors.New("peer already negotiated")
	// ErrConnectTimeout: no connection, or no media, within the connect timeout.
	ErrConnectTimeout = errors.New("peer did not connect in time")
	// ErrDisconnected: the connection was lost or the other side closed it.
	ErrDisconnected = errors.New("peer disconnected")
	// ErrHandshake: the DTLS handshake failed.
	ErrHandshake = errors.New("DTLS handshake failed")
	// ErrClosed: the peer or the API was closed on this side.
	ErrClosed = errors.New("closed")
)

// mimeTypes are the codecs this package can reassemble.
var mimeTypes = map[liveproof.Codec]string{
	liveproof.CodecVP8:  webrtc.MimeTypeVP8,
	liveproof.CodecVP9:  webrtc.MimeTypeVP9,
	liveproof.CodecH264: webrtc.MimeTypeH264,
	liveproof.CodecAV1:  webrtc.MimeTypeAV1,
}

var errTODO = errors.New("not yet")

// API opens peers. Safe for concurrent use.
type API struct{}

// New opens the sockets; reg may be nil.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*API, error) { return nil, errTODO }

// Close closes every peer and the sockets. Idempotent.
func (a *API) Close() error { return nil }

// UDPAddr and TCPAddr tell where clients reach the server; TCPAddr is nil when ICE-TCP is off.
func (a *API) UDPAddr() *net.UDPAddr { return nil }
func (a *API) TCPAddr() *net.TCPAddr { return nil }

// ICEServers are the STUN and TURN servers for a client, with credentials valid from now for turn_ttl.
func (a *API) ICEServers(id liveproof.SessionID, now time.Time) []webrtc.ICEServer { return nil }

// NewPeer opens a peer. onCandidate is called for each local candidate and with an empty Candidate at the end.
func (a *API) NewPeer(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (*Peer, error) {
	return nil, errTODO
}

// Peer is one connection.
type Peer struct{}

// Answer takes the one offer of this peer.
func (p *Peer) Answer(ctx context.Context, offer string) (string, error) { return "", errTODO }

// AddCandidate takes a trickled candidate; an empty one is end-of-candidates.
func (p *Peer) AddCandidate(c webrtc.ICECandidateInit) error { return errTODO }

// AddFragment takes an application/trickle-ice-sdpfrag body (RFC 8840).
func (p *Peer) AddFragment(sdpfrag string) error { return errTODO }

// Video blocks for the first video track.
func (p *Peer) Video(ctx context.Context) (*Video, error) { return nil, errTODO }

// Done is closed when the peer has ended for any reason; then Err tells why.
func (p *Peer) Done() <-chan struct{} { return nil }

// Err is why the peer ended: nil while it runs and after Close.
func (p *Peer) Err() error { return nil }

// Connected is closed when ICE and DTLS are up.
func (p *Peer) Connected() <-chan struct{} { return nil }

// Close ends the peer and waits for its goroutines. Idempotent.
func (p *Peer) Close() error { return nil }

// Video is a peer's video as access units.
type Video struct{}

// Next blocks for the next complete access unit; io.EOF when the track ended.
func (v *Video) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	return liveproof.AccessUnit{}, errTODO
}

// RequestKeyFrame sends a PLI (RFC 4585), throttled.
func (v *Video) RequestKeyFrame() {}
