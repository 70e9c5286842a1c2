package ingest

import (
	"math"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/strictjson"
)

// clientMessage is a signalling message from the client; docs/architecture.md lists them.
type clientMessage struct {
	Type string `json:"type"`
	// SDP of an offer.
	SDP string `json:"sdp"`
	// Candidate is an RTCIceCandidateInit; JSON null ends the candidates.
	Candidate strictjson.Raw `json:"candidate"`
	// Attestation is the client's opaque statement about itself.
	Attestation string `json:"attestation"`
	// Requested and Delivered are the camera's MediaTrackSettings.
	Requested strictjson.Raw `json:"requested"`
	Delivered strictjson.Raw `json:"delivered"`
	// ID of a challenge that is declined.
	ID       string `json:"id"`
	Declined bool   `json:"declined"`
	// Able says whether the client follows the probe that it was told.
	Able *bool `json:"able"`
}

// parseClientMessage takes what architecture.md lists and nothing else: a
// message that claims a state, a verdict or any other member is an error.
func parseClientMessage(b []byte) (clientMessage, error) {
	var m clientMessage
	if err := strictjson.Object(b, &m); err != nil {
		return m, problem(CodeProtocolError, "the message is not one of the protocol's: "+err.Error())
	}
	if known, ok := messageTypes[m.Type]; !ok || known != m.parts() || len(m.Attestation) > liveproof.MaxAttestation {
		return m, problem(CodeProtocolError, "the message is not one of the protocol's")
	}
	return m, nil
}

// parts says which members a message has, besides its type.
type parts struct{ sdp, candidate, settings, declined, attestation, able bool }

// messageTypes has the members of each type of message.
var messageTypes = map[string]parts{
	"offer":       {sdp: true},
	"candidate":   {candidate: true},
	"settings":    {settings: true},
	"challenge":   {declined: true},
	"attestation": {attestation: true},
	"probe":       {able: true},
	"bye":         {},
}

func (m clientMessage) parts() parts {
	return parts{
		sdp: m.SDP != "", candidate: m.Candidate != nil, settings: m.Requested != nil || m.Delivered != nil,
		declined: m.ID != "" || m.Declined, attestation: m.Attestation != "", able: m.Able != nil,
	}
}

// candidate decodes the ICE candidate; an empty one is the end of candidates.
func (m clientMessage) candidate() (webrtc.ICECandidateInit, error) {
	var c webrtc.ICECandidateInit
	if string(m.Candidate) == "null" {
		return c, nil
	}
	if err := strictjson.OpenObject(m.Candidate, &c); err != nil {
		return webrtc.ICECandidateInit{}, problem(CodeProtocolError, "the ICE candidate is not valid: "+err.Error())
	}
	if len(c.Candidate) > 1024 {
		return c, problem(CodeProtocolError, "the ICE candidate is too long")
	}
	return c, nil
}

// cameraSettings are the members of MediaTrackSettings that the server compares.
type cameraSettings struct {
	Width     float64 `json:"width"`
	Height    float64 `json:"height"`
	FrameRate float64 `json:"frameRate"`
}

// settingsMismatch reports whether the camera delivers other settings than it
// was asked for; unknown (0) values match. Width and height may be swapped: a
// phone held upright.
func (m clientMessage) settingsMismatch() (bool, error) {
	var want, got cameraSettings
	for raw, into := range map[*strictjson.Raw]*cameraSettings{&m.Requested: &want, &m.Delivered: &got} {
		if *raw == nil {
			continue
		}
		if err := strictjson.OpenObject(*raw, into); err != nil {
			return false, problem(CodeProtocolError, "the camera settings are not valid: "+err.Error())
		}
	}
	differs := func(a, b float64) bool { return a > 0 && b > 0 && math.Abs(a-b) > 0.1*a }
	size := differs(want.Width, got.Width) || differs(want.Height, got.Height)
	turned := want.Height > 0 && got.Height > 0 && !differs(want.Width, got.Height) && !differs(want.Height, got.Width)
	return (size && !turned) || differs(want.FrameRate, got.FrameRate), nil
}

// message is a signalling message to the client.
type message map[string]any

func answerMessage(sdp string) message { return message{"type": "answer", "sdp": sdp} }

func candidateMessage(c webrtc.ICECandidateInit) message {
	if c.Candidate == "" {
		return message{"type": "candidate", "candidate": nil}
	}
	return message{"type": "candidate", "candidate": c}
}

func errorMessage(p *Problem) message {
	return message{"type": "error", "code": p.Code, "detail": p.Detail}
}

// decidedMessage tells the end of a session; ρ only to a developer.
func decidedMessage(s liveproof.Session, dev bool) message {
	return verdictMessage("decided", s.Verdict, dev)
}

// verdictMessage tells a verdict, with ρ only in dev mode.
func verdictMessage(kind string, v liveproof.Verdict, dev bool) message {
	m := message{"type": kind, "result": v.Outcome.Result(), "reasons": append([]liveproof.Reason{}, v.Reasons...)}
	if dev {
		m["verdict"], m["score"] = v.Outcome, finite(v.Score)
	}
	return m
}

// eventMessage is the message that tells the client of an event; nil when the
// client is not told.
func eventMessage(e liveproof.Event, dev bool) message {
	switch {
	case e.Hint != nil:
		return message{"type": "hint", "reason": *e.Hint}
	case e.Challenge != nil:
		return challengeMessage(*e.Challenge)
	case e.Probe != nil:
		return probeMessage(*e.Probe)
	case e.Progress != nil:
		return message{
			"type": "progress", "fraction": finite(e.Progress.Fraction),
			"scored": e.Progress.Scored, "needed": e.Progress.Needed,
		}
	case e.Sample != nil && dev:
		x := e.Sample.Sample
		return message{
			"type": "sample", "seq": x.Seq, "t": x.T.Seconds(), "scored": x.Scored, "rho": finite(x.Rho), "weight": x.Weight,
			"smoothed": finite(e.Sample.Smoothed), "track": x.Track, "reasons": append([]liveproof.Reason{}, x.Reasons...),
			"threshold": finite(e.Sample.Threshold),
		}
	case e.Verdict != nil:
		return verdictMessage("verdict", *e.Verdict, dev) // a call's current verdict
	}
	return nil
}

// finite replaces what JSON cannot carry.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}
