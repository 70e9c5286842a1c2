package rtc

import (
	"slices"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// unansweredPLIs is after how many requests without a key frame FIR is sent beside PLI: some senders answer only one of them.
const unansweredPLIs = 2

// fullIntraRequest returns a function that sends FIR (RFC 5104, 4.3.1) with a new command each time, nil where the
// sender did not negotiate it.
func (p *Peer) fullIntraRequest(ssrc uint32, params webrtc.RTPParameters) func() {
	if !slices.ContainsFunc(params.Codecs, takesFIR) {
		return nil
	}
	var commands atomic.Uint32
	return func() {
		err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.FullIntraRequest{
			MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: uint8(commands.Add(1))}},
		}})
		if err != nil {
			p.log.Debug("full intra request", "error", err)
		}
	}
}

func takesFIR(c webrtc.RTPCodecParameters) bool {
	return slices.ContainsFunc(c.RTCPFeedback, func(f webrtc.RTCPFeedback) bool { return f.Type == "ccm" && f.Parameter == "fir" })
}
