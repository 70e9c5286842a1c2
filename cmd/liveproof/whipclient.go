package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/pion/webrtc/v4"
)

// publisher is one WebRTC sender that knows nothing of the server but WHIP (RFC 9725).
type publisher struct {
	http     *http.Client
	token    string
	pc       *webrtc.PeerConnection
	track    *webrtc.TrackLocalStaticSample
	resource string // the WHIP resource's URL, once published
}

func newPublisher(client *http.Client, token, mimeType string) (*publisher, error) {
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
	return &publisher{http: client, token: token, pc: pc, track: track}, nil
}

// drainRTCP lets the interceptors (NACK responder, reports) see what comes back.
func drainRTCP(sender *webrtc.RTPSender) {
	for {
		if _, _, err := sender.ReadRTCP(); err != nil {
			return
		}
	}
}

// publish offers, posts and waits until media can flow.
func (p *publisher) publish(ctx context.Context, endpoint string) error {
	connected := make(chan struct{})
	failed := make(chan struct{})
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			close(connected)
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			select {
			case <-failed:
			default:
				close(failed)
			}
		}
	})
	if err := p.exchange(ctx, endpoint); err != nil {
		return err
	}
	select {
	case <-connected:
		return nil
	case <-failed:
		return errors.New("peer connection failed")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *publisher) exchange(ctx context.Context, endpoint string) error {
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

func (p *publisher) post(ctx context.Context, endpoint, offer string) (answer string, err error) {
	resp, err := p.do(ctx, http.MethodPost, endpoint, offer)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("WHIP: %s: %s", resp.Status, body)
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

func (p *publisher) do(ctx context.Context, method, to, sdp string) (*http.Response, error) {
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

// close ends the WHIP session politely and frees the peer connection.
func (p *publisher) close(ctx context.Context) error {
	var err error
	if p.resource != "" {
		var resp *http.Response
		if resp, err = p.do(ctx, http.MethodDelete, p.resource, ""); err == nil {
			_ = resp.Body.Close()
		}
	}
	return errors.Join(err, p.pc.Close())
}
