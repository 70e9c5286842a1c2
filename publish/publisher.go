package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/pion/webrtc/v4"
)

// maxAnswer bounds what is read of an answer over HTTP, in bytes.
const maxAnswer = 1 << 20

// Publisher is one WebRTC sender of one session. It is not safe for concurrent
// use.
type Publisher struct {
	http     *http.Client
	token    string
	pc       *webrtc.PeerConnection
	track    *webrtc.TrackLocalStaticSample
	resource string        // the WHIP resource's URL, once the server has answered
	left     chan struct{} // closed when the connection has failed or was closed by either side
}

// Connect offers the clip's codec to the session's WHIP endpoint and waits
// until media can flow. Close or Abandon must follow.
func Connect(ctx context.Context, client *http.Client, s Session, clip *Clip) (*Publisher, error) {
	p, err := newPublisher(client, s.ClientToken, clip.mimeType())
	if err != nil {
		return nil, err
	}
	if err := p.connect(ctx, s.WHIPURL); err != nil {
		return nil, errors.Join(err, p.Close(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func newPublisher(client *http.Client, token, mimeType string) (*Publisher, error) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
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
	return &Publisher{http: client, token: token, pc: pc, track: track, left: make(chan struct{})}, nil
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

func (p *Publisher) connect(ctx context.Context, endpoint string) error {
	connected := make(chan struct{})
	onConnected := sync.OnceFunc(func() { close(connected) })
	onLeft := sync.OnceFunc(func() { close(p.left) })
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			onConnected()
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			onLeft()
		}
	})
	if err := p.negotiate(ctx, endpoint); err != nil {
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

// negotiate gathers all candidates, posts the offer and takes the answer.
func (p *Publisher) negotiate(ctx context.Context, endpoint string) error {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	answer, err := p.post(ctx, endpoint, p.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// post creates the WHIP resource.
func (p *Publisher) post(ctx context.Context, endpoint, offer string) (answer string, err error) {
	resp, err := p.do(ctx, http.MethodPost, endpoint, offer)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("WHIP: %w", refusal(resp.Status, body))
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	location, err := base.Parse(resp.Header.Get("Location"))
	if err != nil {
		return "", fmt.Errorf("WHIP location: %w", err)
	}
	p.resource = location.String()
	return string(body), nil
}

func (p *Publisher) do(ctx context.Context, method, to, sdp string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(sdp))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	if sdp != "" {
		req.Header.Set("Content-Type", "application/sdp")
	}
	return p.http.Do(req)
}

// Send sends the clip once, in real time. It ends early with the cause of ctx.
func (p *Publisher) Send(ctx context.Context, clip *Clip) error { return clip.send(ctx, p.track) }

// Close deletes the WHIP resource, which ends the session, and frees the peer connection.
func (p *Publisher) Close(ctx context.Context) error {
	var err error
	if p.resource != "" {
		var resp *http.Response
		if resp, err = p.do(ctx, http.MethodDelete, p.resource, ""); err == nil {
			_ = resp.Body.Close()
		}
	}
	return errors.Join(err, p.Abandon())
}

// Abandon frees the peer connection and tells the server nothing over HTTP, as a closed browser tab does.
func (p *Publisher) Abandon() error { return p.pc.Close() }
