package rtc

import "time"

// RoundTrip is the newest measured time to the sender and back, false before there is one.
func (v *Video) RoundTrip() (roundTrip time.Duration, known bool) {
	if v.roundTrip == nil {
		return 0, false
	}
	return v.roundTrip()
}

// roundTrip is that of the newest check on the pair of addresses in use (RFC 8445; W3C webrtc-stats, currentRoundTripTime). The
// client answers the checks, so it can delay the answers.
func (p *Peer) roundTrip() (time.Duration, bool) {
	stats, ok := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats()
	seconds := stats.CurrentRoundTripTime
	return time.Duration(seconds * float64(time.Second)), ok && seconds > 0
}
