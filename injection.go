package liveproof

import "strings"

// Injection is how much a session's video looks like video that does not come straight from a camera: a file, a loop, a virtual
// camera. It is a suspicion and no proof: it can withhold live and never gives it.
type Injection struct {
	// Risk is that of the strongest signal, in [0,1]; 0 before anything was measured. It is no probability.
	Risk float64 `json:"risk"`
	// Signal is the name of the strongest signal, such as repeats; empty while Risk is 0.
	Signal string `json:"signal"`
}

// InjectionRiskPrefix begins the names of the signals (Sample.Signals) that are risks of injection, in [0,1].
const InjectionRiskPrefix = "injection.risk."

// InjectionUnattested is the signal, 1, of a sample that is suspected only because the client's attestation is not verified, or not yet.
const InjectionUnattested = "injection.unattested"

// InjectionOf is the strongest risk among a sample's signals; ties go to the smaller name. ok is false where there is none. A
// value that is no number in [0,1] does not count.
func InjectionOf(signals map[string]float64) (i Injection, ok bool) {
	for name, risk := range signals {
		short, named := strings.CutPrefix(name, InjectionRiskPrefix)
		if !named || !(risk >= 0 && risk <= 1) {
			continue
		}
		ok = true
		if risk > i.Risk || risk == i.Risk && risk > 0 && short < i.Signal {
			i = Injection{Risk: risk, Signal: short}
		}
	}
	return i, ok
}

// MaxAttestation is the most bytes of a client's statement about itself.
const MaxAttestation = 8 << 10

// Sender is what is known of the one who sends a stream, besides the pictures.
type Sender struct {
	// Offer is the SDP of the sender's first offer, as it came.
	Offer string
	// KeyFrameRequests counts the key frames that the server has asked for so far.
	KeyFrameRequests int64
	// Adjusts reports whether the client says that it follows the Probe that it was told.
	Adjusts bool
	// Report is the newest sender report of the stream in use, nil before the first one.
	Report *SenderReport
	// Attestation is the client's opaque statement about itself, as it came; empty without one.
	Attestation string
}

// SenderSource is an optional interface of a UnitSource, which tells what it knows of its sender.
type SenderSource interface {
	// Sender may be called at any time, and never blocks.
	Sender() Sender
}
