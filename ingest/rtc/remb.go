package rtc

import "github.com/pion/rtcp"

// requestBitrate sends REMB for all streams of the camera, where the sender takes it and has no other feedback to go by. One that gets
// transport-wide feedback estimates the bitrate itself, and would take REMB as another limit.
func (p *Peer) requestBitrate(bitsPerSecond float64) {
	a := p.streams.agreed.Load()
	if a == nil || !a.remb {
		return
	}
	p.api.metrics.remb.Inc()
	err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(bitsPerSecond), SSRCs: p.streams.layers.ssrcs()}})
	if err != nil {
		p.log.Debug("bitrate request", "error", err)
	}
}
