// Package rtc is the media side of a live session: WebRTC peer connections
// that only receive, on one UDP port (ICE mux, RFC 8445) and one TCP port
// (RFC 6544) for all sessions, and the reassembly of RTP packets into complete
// access units.
package rtc

import (
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
)

// Errors of this package; test with errors.Is.
var (
	// ErrBadSDP: the offer or fragment is not SDP, too large or not acceptable.
	ErrBadSDP = errors.New("unacceptable session description")
	// ErrNoVideo: the offer has no video section that sends. It is an ErrBadSDP too.
	ErrNoVideo = fmt.Errorf("no video to receive: %w", ErrBadSDP)
	// ErrTooManyTracks: the offer sends more than one video or audio track (RFC
	// 9725, 4.4.2). Its error wraps ErrBadSDP too.
	ErrTooManyTracks = errors.New("more than one track of a kind")
	// ErrTooManyRestarts: ICE was restarted too often in a short time; ICE goes on as it was.
	ErrTooManyRestarts = errors.New("too many ICE restarts")
	// ErrOtherICESession: the fragment is for an ICE session that is not the current one.
	ErrOtherICESession = errors.New("another ICE session")
	// ErrBadCandidate: not an ICE candidate, or not one to send to.
	ErrBadCandidate = errors.New("unacceptable ICE candidate")
	// ErrTooManyCandidates: the peer's candidates exceed the cap; the extra one is ignored.
	ErrTooManyCandidates = errors.New("too many ICE candidates")
	// ErrNegotiated: the peer has already answered an offer, and the new offer is not an ICE restart of that one.
	ErrNegotiated = errors.New("peer already negotiated")
	// ErrConnectTimeout: no connection (ICE and DTLS) within connect_timeout.
	ErrConnectTimeout = fmt.Errorf("peer did not connect in time: %w", liveproof.ErrIdle)
	// ErrLost: the connection was lost or the other side closed it.
	ErrLost = fmt.Errorf("connection lost: %w", liveproof.ErrDisconnected)
	// ErrHandshake: the DTLS handshake failed.
	ErrHandshake = fmt.Errorf("DTLS handshake failed: %w", liveproof.ErrDisconnected)
	// ErrFlood: the peer sent more packets or streams than allowed.
	ErrFlood = fmt.Errorf("peer floods: %w", liveproof.ErrDisconnected)
	// ErrClosed: the peer or the API was closed on this side.
	ErrClosed = fmt.Errorf("closed: %w", liveproof.ErrDisconnected)
)
