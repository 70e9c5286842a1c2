package rtc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// Answer takes the first offer and returns the answer, with this server's
// candidates in it. Errors: ErrBadSDP (an *OfferError, which says what is wrong;
// among them ErrNoVideo, ErrTooManyTracks, and liveproof.ErrUnsupportedCodec when
// no offered codec is accepted), ErrNegotiated on a second offer (see Restart),
// ErrClosed, or ctx's. After ErrBadSDP the peer should be closed.
func (p *Peer) Answer(ctx context.Context, text string) (string, error) {
	o, err := parseOffer(p.api.cfg, text)
	if err != nil {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
		return "", err
	}
	p.negotiation.Lock()
	defer p.negotiation.Unlock()
	if err := p.negotiate(o); err != nil {
		return "", err
	}
	p.video.offer.Store(&text)
	answer, err := p.exchange(&o.description)
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
	if p.offered != nil {
		return ErrNegotiated
	}
	p.offered, p.remote, p.iceSession = o, o.credentials, 1
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

// exchange lets pion take an offer and answer it; gathering begins.
func (p *Peer) exchange(description *sdp.SessionDescription) (string, error) {
	reduced, err := description.Marshal()
	if err != nil {
		return "", err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(reduced)}); err != nil {
		return "", err
	}
	p.flushCandidates()
	answer, err := p.pc.CreateAnswer(&webrtc.AnswerOptions{OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true}})
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
	return &OfferError{Detail: "the offer breaks a rule of SDP, and cannot be answered", cause: err}
}

// awaitCandidates: gathering takes milliseconds, for only local addresses are gathered.
func (p *Peer) awaitCandidates(ctx context.Context) (gathered bool, err error) {
	limit := time.NewTimer(gatherLimit)
	defer limit.Stop()
	p.mu.Lock()
	complete := p.gathered
	p.mu.Unlock()
	select {
	case <-complete:
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
	return text, o.explain(p.api.cfg.Codecs, err)
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
		if err := p.api.cfg.checkCandidate(c.Candidate); err != nil {
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
	if !p.remoteSet || p.isForeign(c) {
		p.early = append(p.early, c)
		return true, nil
	}
	return false, nil
}

// isForeign: a candidate that names another ICE session than the current one (RFC
// 8838, 5.1). It may come before the restart that it belongs to.
func (p *Peer) isForeign(c webrtc.ICECandidateInit) bool {
	ufrag := userFragment(c)
	return ufrag != "" && ufrag != p.remote.ufrag
}

// userFragment is the ICE session that a candidate names, "" when it names none.
func userFragment(c webrtc.ICECandidateInit) string {
	if c.UsernameFragment != nil {
		return *c.UsernameFragment
	}
	if candidate, err := ice.UnmarshalCandidate(strings.TrimPrefix(c.Candidate, "candidate:")); err == nil {
		if extension, ok := candidate.GetExtension("ufrag"); ok {
			return extension.Value
		}
	}
	return ""
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
// PATCH). Candidates are added to the current ICE session. ICE credentials that
// are not the current ones restart ICE (RFC 9725, 4.3.3); then the result is this
// server's side of the restart, else nil. A fragment that repeats the last restart, whose answer may be lost, gets the same result
// again. matches says whether the fragment is
// meant for the ICE session of this number. Errors: ErrBadSDP,
// ErrOtherICESession, ErrTooManyRestarts (after each of these three, ICE goes on as it was),
// those of AddCandidate (the good candidates are taken all the same), and ctx's.
func (p *Peer) AddFragment(ctx context.Context, sdpfrag string, matches func(session int) bool) (*Restarted, error) {
	f, err := parseFragment(p.api.cfg, sdpfrag)
	if err != nil {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
		return nil, err
	}
	p.negotiation.Lock()
	defer p.negotiation.Unlock()
	if p.repeats(f.credentials, matches) {
		return p.restarted, p.trickle(f)
	}
	if !matches(p.ICESession()) {
		return nil, ErrOtherICESession
	}
	restarts, err := p.begins(f.credentials)
	if err != nil {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
		return nil, err
	}
	if restarts {
		return p.restartBy(ctx, f)
	}
	return nil, p.trickle(f)
}

// ICESession numbers the current ICE session: 0 before the offer, 1 with it, and
// one more with each restart.
func (p *Peer) ICESession() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.iceSession
}

// begins reports whether these credentials begin another ICE session.
func (p *Peer) begins(c credentials) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
		return false, p.whyEnded()
	case p.offered == nil, c.ufrag == "" && c.pwd == "", c == p.remote:
		return false, nil
	case c.ufrag == p.remote.ufrag && c.pwd == "": // a fragment may leave the password out
		return false, nil
	case c.pwd == "", c.ufrag == p.remote.ufrag, c.pwd == p.remote.pwd:
		return false, errHalfRestart
	}
	return true, nil
}

func (p *Peer) restartBy(ctx context.Context, f fragment) (*Restarted, error) {
	answer, err := p.restart(ctx, f.credentials, f.candidates)
	if err != nil {
		return nil, err
	}
	own, err := fragmentOf(answer)
	if err != nil {
		return nil, err
	}
	p.restarted = &Restarted{Session: p.ICESession(), Fragment: own}
	return p.restarted, nil
}

// repeats reports whether a fragment asks again for the restart that began the current ICE session: it has that restart's credentials
// and is meant for the session before, as far as its sender knows. p.negotiation is held.
func (p *Peer) repeats(c credentials, matches func(session int) bool) bool {
	p.mu.Lock()
	current, remote := p.iceSession, p.remote
	p.mu.Unlock()
	return p.restarted != nil && p.restarted.Session == current && c == remote && matches(current-1)
}

func (p *Peer) trickle(f fragment) error {
	var bad error
	for _, candidate := range f.candidates {
		err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: candidate})
		if err != nil && !errors.Is(err, ErrBadCandidate) {
			return err // none of the others can be taken either
		}
		bad = cmp.Or(bad, err)
	}
	if f.end {
		return cmp.Or(p.AddCandidate(webrtc.ICECandidateInit{}), bad)
	}
	return bad
}
