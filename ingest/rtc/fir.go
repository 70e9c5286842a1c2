package rtc

import "github.com/pion/rtcp"

// unansweredPLIs is after how many requests without a key frame FIR is sent beside PLI: some senders answer only one of them.
const unansweredPLIs = 2

// fullIntraRequest sends FIR (RFC 5104, 4.3.1), a new command each time, where the sender takes it.
func (p *Peer) fullIntraRequest() {
	a := p.streams.agreed.Load()
	if a == nil || !a.fir {
		return
	}
	ssrc := p.streams.layers.inUse()
	err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.FullIntraRequest{
		FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: uint8(p.commands.Add(1))}}, // the media source stays 0 (4.3.1.2)
	}})
	if err != nil {
		p.log.Debug("full intra request", "error", err)
	}
}
