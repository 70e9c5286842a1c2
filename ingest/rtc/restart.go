package rtc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Each ICE restart of a peer may bring max_candidates addresses, to which this server
// then sends checks. So a peer may restart restartBurst times at once, and once
// more each RestartEvery.
const (
	restartBurst = 5
	RestartEvery = 5 * time.Second
)

// Restarted is this server's side of an ICE restart that a fragment asked for.
type Restarted struct {
	// Session numbers the ICE session that began.
	Session int
	// Fragment is the body of the answer (RFC 9725, 4.3.3): application/trickle-ice-sdpfrag.
	Fragment string
}

// Restart takes a renewed offer that restarts ICE (RFC 8445, 2.4): the media
// sections and the DTLS identity of the first offer, with new ICE credentials.
// Everything but these and the candidates stays as negotiated first. Errors:
// ErrBadSDP, ErrNegotiated for an offer that is not such a restart,
// ErrTooManyRestarts (after each of these three, ICE goes on as it was), ErrClosed, or ctx's.
func (p *Peer) Restart(ctx context.Context, text string) (string, error) {
	o, err := parseOffer(p.api.cfg, text)
	if err != nil {
		p.api.metrics.refused.WithLabelValues("sdp").Inc()
		return "", err
	}
	p.negotiation.Lock()
	defer p.negotiation.Unlock()
	if err := p.mayRenew(o); err != nil {
		return "", err
	}
	return p.restart(ctx, o.credentials, o.allCandidates())
}

// mayRenew compares a renewed offer with the first.
func (p *Peer) mayRenew(o *offer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
		return p.whyEnded()
	case p.offered == nil, p.remote == o.credentials:
		return ErrNegotiated
	case !p.offered.sameSections(o):
		return fmt.Errorf("other media sections than in the first offer: %w", ErrNegotiated)
	case !slices.Equal(p.offered.fingerprints(), o.fingerprints()):
		return fmt.Errorf("another DTLS identity than in the first offer: %w", ErrNegotiated)
	case p.remote.ufrag == o.credentials.ufrag, p.remote.pwd == o.credentials.pwd:
		return errHalfRestart
	}
	return nil
}

// restart begins a new ICE session; p.negotiation is held. The DTLS association
// goes on, with it the SRTP keys and the streams.
func (p *Peer) restart(ctx context.Context, c credentials, candidates []string) (string, error) {
	if !p.restarts.Allow() {
		p.api.metrics.refused.WithLabelValues("restart").Inc()
		return "", ErrTooManyRestarts
	}
	o, early := p.renew(c)
	description := o.renewed(c)
	answer, err := p.exchange(&description)
	if err != nil { // what was negotiated before cannot be brought back
		p.fail(fmt.Errorf("ICE restart: %w: %w", err, ErrLost))
		return "", fmt.Errorf("ICE restart: %w", errors.Join(err, ErrClosed))
	}
	for _, candidate := range candidates {
		early = append(early, webrtc.ICECandidateInit{Candidate: candidate})
	}
	for _, candidate := range early {
		if err := p.AddCandidate(candidate); err != nil {
			p.log.Debug("candidate of a restart", "error", err)
		}
	}
	gathered, err := p.awaitCandidates(ctx)
	if err != nil {
		return "", err
	}
	p.log.Debug("ICE restarted", "session", p.iceSession)
	return p.publish(o, answer, gathered)
}

// renew resets what belongs to one ICE session, and returns the first offer and the
// candidates that came before the restart that they belong to.
func (p *Peer) renew(c credentials) (*offer, []webrtc.ICECandidateInit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remote = c
	p.iceSession++
	p.candidates = 0
	p.answered, p.allGathered = false, false
	p.local, p.gathered = nil, make(chan struct{})
	early := slices.DeleteFunc(p.early, func(candidate webrtc.ICECandidateInit) bool { return userFragment(candidate) != c.ufrag })
	p.early = nil
	return p.offered, early
}

// renewed is the description of the offer with other ICE credentials and
// without candidates.
func (o *offer) renewed(c credentials) sdp.SessionDescription {
	description := o.description
	description.Origin.SessionVersion++
	description.Attributes = slices.DeleteFunc(slices.Clone(description.Attributes), isICE)
	description.MediaDescriptions = nil
	for _, section := range o.description.MediaDescriptions {
		own := *section
		own.Attributes = slices.DeleteFunc(slices.Clone(own.Attributes), isICE)
		own.Attributes = append(own.Attributes, sdp.Attribute{Key: "ice-ufrag", Value: c.ufrag}, sdp.Attribute{Key: "ice-pwd", Value: c.pwd})
		description.MediaDescriptions = append(description.MediaDescriptions, &own)
	}
	return description
}

func isICE(a sdp.Attribute) bool {
	return isCandidate(a) || a.Key == "ice-ufrag" || a.Key == "ice-pwd"
}

// allCandidates are those of every section, as in candidate lines.
func (o *offer) allCandidates() []string {
	var out []string
	for _, section := range o.description.MediaDescriptions {
		for _, a := range section.Attributes {
			if a.Key == "candidate" {
				out = append(out, "candidate:"+a.Value)
			}
		}
	}
	return out
}

// sameSections reports whether both offers have the same media sections, in order.
func (o *offer) sameSections(other *offer) bool {
	return o.video == other.video && slices.EqualFunc(o.sections, other.sections, func(a, b *sdp.MediaDescription) bool {
		mine, _ := a.Attribute("mid")
		theirs, _ := b.Attribute("mid")
		return a.MediaName.Media == b.MediaName.Media && mine == theirs
	})
}

// fragmentOf cuts the ICE part out of an answer, as RFC 9725, 4.3.3 wants it: the
// section that carries the bundle, with its credentials and candidates.
func fragmentOf(answer string) (string, error) {
	var description sdp.SessionDescription
	if err := description.UnmarshalString(answer); err != nil {
		return "", fmt.Errorf("own answer: %w", err)
	}
	var b strings.Builder
	write := func(attributes []sdp.Attribute, keys ...string) {
		for _, a := range attributes {
			switch {
			case !slices.Contains(keys, a.Key):
			case a.Value == "":
				fmt.Fprintf(&b, "a=%s\r\n", a.Key)
			default:
				fmt.Fprintf(&b, "a=%s:%s\r\n", a.Key, a.Value)
			}
		}
	}
	write(description.Attributes, "ice-lite", "ice-options", "group")
	for _, section := range description.MediaDescriptions {
		if section.MediaName.Port.Value == 0 {
			continue
		}
		fmt.Fprintf(&b, "m=%s\r\n", section.MediaName.String())
		write(section.Attributes, "mid")
		write(section.Attributes, "ice-ufrag", "ice-pwd", "ice-options")
		write(section.Attributes, "candidate", "end-of-candidates")
		break
	}
	return b.String(), nil
}
