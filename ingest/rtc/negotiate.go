package rtc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// Answer takes the one offer of this peer and returns the answer, with this
// server's candidates in it. Errors: ErrBadSDP (among them ErrNoVideo, and
// liveproof.ErrUnsupportedCodec when no offered codec is accepted),
// ErrNegotiated on a second offer, ErrClosed, or ctx's. After ErrBadSDP the
// peer should be closed.
func (p *Peer) Answer(ctx context.Context, text string) (string, error) {
	o, err := parseOffer(p.api.cfg, text)
	if err != nil {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
		return "", err
	}
	if err := p.negotiate(o); err != nil {
		return "", err
	}
	answer, err := p.describe(o)
	if err != nil {
		return "", p.refuse(err)
	}
	gathered, err := p.awaitCandidates(ctx)
	if err != nil {
		return "", err
	}
	return p.publish(o, answer, gathered)
}

func (p *Peer) negotiate(o *offer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return p.whyEnded()
	}
	if p.negotiated {
		return ErrNegotiated
	}
	p.negotiated, p.ufrag = true, o.ufrag
	p.candidates += o.candidates
	if o.dropped > 0 {
		p.api.metrics.refused.WithLabelValues("candidate").Add(float64(o.dropped))
	}
	return nil
}

// whyEnded is for callers that hold p.mu and have seen p.ended.
func (p *Peer) whyEnded() error {
	if p.err != nil {
		return p.err
	}
	return ErrClosed
}

// describe lets pion take the offer and answer it; gathering begins.
func (p *Peer) describe(o *offer) (string, error) {
	reduced, err := o.description.Marshal()
	if err != nil {
		return "", err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(reduced)}); err != nil {
		return "", err
	}
	p.flushCandidates()
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	return answer.SDP, nil
}

// refuse says that the offer is to blame, unless the peer was closed meanwhile.
func (p *Peer) refuse(err error) error {
	if p.ctx.Err() != nil || errors.Is(err, webrtc.ErrConnectionClosed) {
		return ErrClosed
	}
	p.api.metrics.refused.WithLabelValues("sdp").Inc()
	return fmt.Errorf("%w: %w", ErrBadSDP, err)
}

// awaitCandidates: gathering takes milliseconds, for only local addresses are gathered.
func (p *Peer) awaitCandidates(ctx context.Context) (gathered bool, err error) {
	limit := time.NewTimer(gatherLimit)
	defer limit.Stop()
	select {
	case <-p.gathered:
		return true, nil
	case <-limit.C:
		return false, nil
	case <-p.done:
		return false, p.ending()
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (p *Peer) publish(o *offer, answer string, gathered bool) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = true
	var candidates []string
	for _, c := range p.local {
		candidates = append(candidates, c.Candidate)
	}
	text, err := o.complete(answer, candidates, gathered)
	if errors.Is(err, liveproof.ErrUnsupportedCodec) {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
	}
	if err == nil {
		p.streams.configure(o.negotiated, o.announced)
	}
	return text, err
}

// gather is told of local candidates by pion, nil at their end.
func (p *Peer) gather(c *webrtc.ICECandidate) {
	init := webrtc.ICECandidateInit{}
	if c != nil {
		init = c.ToJSON()
	}
	p.mu.Lock()
	late := p.answered
	if c != nil && !late {
		p.local = append(p.local, init)
	}
	if c == nil && !p.allGathered {
		p.allGathered = true
		close(p.gathered)
	}
	p.mu.Unlock()
	if late && p.onCandidate != nil {
		p.onCandidate(init)
	}
}

// AddCandidate takes a trickled remote candidate, before or after the offer; an
// empty one is end-of-candidates. Errors: ErrBadCandidate, ErrTooManyCandidates
// (both can be ignored: the candidate is), ErrClosed.
func (p *Peer) AddCandidate(c webrtc.ICECandidateInit) error {
	if c.Candidate != "" {
		if err := checkCandidate(c.Candidate); err != nil {
			p.api.metrics.refused.WithLabelValues("candidate").Inc()
			return err
		}
	}
	hold, err := p.admitCandidate(c)
	if err != nil || hold {
		return err
	}
	return p.applyCandidate(c)
}

func (p *Peer) admitCandidate(c webrtc.ICECandidateInit) (hold bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return false, p.whyEnded()
	}
	if p.candidates >= p.api.cfg.MaxCandidates {
		p.api.metrics.refused.WithLabelValues("candidates").Inc()
		return false, fmt.Errorf("more than %d: %w", p.api.cfg.MaxCandidates, ErrTooManyCandidates)
	}
	p.candidates++
	if !p.remoteSet {
		p.early = append(p.early, c)
		return true, nil
	}
	return false, nil
}

func (p *Peer) applyCandidate(c webrtc.ICECandidateInit) error {
	if err := p.pc.AddICECandidate(c); err != nil {
		if p.ctx.Err() != nil {
			return ErrClosed
		}
		return fmt.Errorf("%w: %w", ErrBadCandidate, err)
	}
	return nil
}

// flushCandidates applies what came before the offer.
func (p *Peer) flushCandidates() {
	p.mu.Lock()
	early := p.early
	p.early, p.remoteSet = nil, true
	p.mu.Unlock()
	for _, c := range early {
		if err := p.applyCandidate(c); err != nil {
			p.log.Debug("early candidate", "error", err)
		}
	}
}

// AddFragment takes an application/trickle-ice-sdpfrag body (RFC 8840; WHIP's
// PATCH). Errors: ErrBadSDP, ErrRestartUnsupported when its ICE credentials are
// not the offer's, and those of AddCandidate, after the good candidates were taken.
func (p *Peer) AddFragment(sdpfrag string) error {
	f, err := parseFragment(p.api.cfg, sdpfrag)
	if err != nil {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
		return err
	}
	if p.restarts(f) {
		return ErrRestartUnsupported
	}
	var errs error
	for _, candidate := range f.candidates {
		if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: candidate}); err != nil {
			errs = err
		}
	}
	if f.end {
		errs = errors.Join(errs, p.AddCandidate(webrtc.ICECandidateInit{}))
	}
	return errs
}

func (p *Peer) restarts(f fragment) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f.ufrag != "" && p.negotiated && f.ufrag != p.ufrag
}
