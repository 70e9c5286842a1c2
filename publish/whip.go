package publish

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pion/webrtc/v4"
)

// whip signals by WHIP (RFC 9725), without trickle ICE.
type whip struct {
	http            *http.Client
	endpoint, token string
	resource        string // the WHIP session's URL, once the server has answered
}

// open gathers all candidates, posts the offer and takes the answer.
func (w *whip) open(ctx context.Context, pc *webrtc.PeerConnection) error {
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	answer, err := w.post(ctx, pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	return pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// post creates the WHIP session.
func (w *whip) post(ctx context.Context, offer string) (answer string, err error) {
	resp, err := w.do(ctx, http.MethodPost, w.endpoint, offer)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("WHIP: %w", refusal(resp, body))
	}
	location, err := resp.Request.URL.Parse(resp.Header.Get("Location")) // of the last request, where the first server named another one
	if err != nil {
		return "", fmt.Errorf("WHIP location: %w", err)
	}
	w.resource = location.String()
	return string(body), nil
}

func (w *whip) do(ctx context.Context, method, to, sdp string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(sdp))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	if sdp != "" {
		req.Header.Set("Content-Type", "application/sdp")
	}
	return w.http.Do(req)
}

// end deletes the WHIP session.
func (w *whip) end(ctx context.Context) error {
	if w.resource == "" {
		return nil
	}
	resp, err := w.do(ctx, http.MethodDelete, w.resource, "")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (w *whip) close() error { return nil }
