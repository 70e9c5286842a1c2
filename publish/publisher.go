package publish

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// handshakeRepeat is after how long a flight of the DTLS handshake without an answer is first sent again. Browsers begin with 50 ms.
const handshakeRepeat = 100 * time.Millisecond

// maxAnswer bounds what is read of an answer over HTTP, in bytes.
const maxAnswer = 1 << 20

// Publisher is one WebRTC sender of one session. It is not safe for concurrent
// use.
type Publisher struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticSample
	via   signaller
	left  chan struct{} // closed when the connection has failed or was closed by either side
	leave func()        // closes left
	sent  atomic.Int64  // pictures
}

// signaller negotiates one peer connection with a server.
type signaller interface {
	// open sends the offer and applies the answer.
	open(ctx context.Context, pc *webrtc.PeerConnection) error
	// end tells the server that the session ends. It does nothing where open did not succeed.
	end(ctx context.Context) error
	// close frees what open took, without telling the server.
	close() error
}

// Connect offers the clip's codec to the session's server and waits until media can flow. Of the options it uses Client, Signalling
// and Network. Close or Abandon must follow.
func Connect(ctx context.Context, o Options, s Session, clip *Clip) (*Publisher, error) {
	p, err := newPublisher(o, s, clip.mimeType())
	if err != nil {
		return nil, err
	}
	if err := p.connect(ctx); err != nil {
		return nil, errors.Join(err, p.Close(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func newPublisher(o Options, s Session, mimeType string) (*Publisher, error) {
	pc, err := o.peerConnection(s)
	if err != nil {
		return nil, err
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mimeType}, "video", "liveproof")
	if err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	sender, err := pc.AddTrack(track)
	if err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	go drainRTCP(sender) // ends when the peer connection closes
	p := &Publisher{pc: pc, track: track, left: make(chan struct{})}
	p.leave = sync.OnceFunc(func() { close(p.left) })
	p.via = o.signaller(s, p.leave)
	return p, nil
}

// peerConnection is one with pion's default codecs and interceptors, over the network of the options.
func (o Options) peerConnection(s Session) (*webrtc.PeerConnection, error) {
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(isLocal(s.WHIPURL)) // on a machine without a network there is no other candidate
	settings.SetDTLSRetransmissionInterval(handshakeRepeat)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // the server's addresses are no names; a socket less for each session
	if o.Network != nil {
		if err := o.Network.settings(&settings); err != nil {
			return nil, err
		}
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
}

// isLocal reports whether an address is this machine's loopback.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (o Options) signaller(s Session, leave func()) signaller {
	if o.Signalling == SignallingWebSocket {
		return &webSocket{url: s.SignalURL, token: s.ClientToken, leave: leave}
	}
	return &whip{http: o.Client.http(), endpoint: s.WHIPURL, token: s.ClientToken}
}

// drainRTCP reads the RTCP packets of the server, so that the interceptors (NACK responder,
// reports) get them.
func drainRTCP(sender *webrtc.RTPSender) {
	for {
		if _, _, err := sender.ReadRTCP(); err != nil {
			return
		}
	}
}

func (p *Publisher) connect(ctx context.Context) error {
	connected := make(chan struct{})
	onConnected := sync.OnceFunc(func() { close(connected) })
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			onConnected()
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			p.leave()
		}
	})
	if err := p.via.open(ctx, p.pc); err != nil {
		return err
	}
	select {
	case <-connected:
		return nil
	case <-p.left:
		return errors.New("peer connection failed")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Send sends the clip once, in real time, and returns when its last picture has been shown. It ends early with the cause of ctx.
func (p *Publisher) Send(ctx context.Context, clip *Clip) error {
	return p.send(ctx, clip, func(int) {})
}

// send is Send; sent gets the number of pictures so far.
func (p *Publisher) send(ctx context.Context, clip *Clip, sent func(int)) error {
	before := p.sent.Load()
	return clip.send(ctx, p.track, func(n int) {
		p.sent.Store(before + int64(n))
		sent(n)
	})
}

// Ended is closed when the connection has failed or was closed by either side, or when the server has told that the session has ended.
func (p *Publisher) Ended() <-chan struct{} { return p.left }

// told is the result that the server's last message told: pass, fail or retry; empty where it has told none, and with WHIP, which has no messages.
func (p *Publisher) told() string {
	if w, ok := p.via.(*webSocket); ok {
		result, _ := w.result.Load().(string)
		return result
	}
	return ""
}

// saidAll is closed when the server has ended the signalling, after its result; with WHIP from the beginning.
func (p *Publisher) saidAll() <-chan struct{} {
	if w, ok := p.via.(*webSocket); ok {
		return w.ended
	}
	none := make(chan struct{})
	close(none)
	return none
}

// Close tells the server that the session ends, and frees the peer connection.
func (p *Publisher) Close(ctx context.Context) error { return errors.Join(p.via.end(ctx), p.Abandon()) }

// Abandon frees the peer connection and tells the server nothing, as a closed browser tab does.
func (p *Publisher) Abandon() error { return errors.Join(p.pc.Close(), p.via.close()) }
