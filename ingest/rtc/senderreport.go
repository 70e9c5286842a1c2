package rtc

import (
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"

	"github.com/liveproof/liveproof"
)

// noteReports keeps the newest sender report of the stream in use. attributes hold the packets that the interceptors have parsed.
func (p *Peer) noteReports(raw []byte, attributes interceptor.Attributes, now time.Time) {
	packets, err := attributes.GetRTCPPackets(raw)
	if err != nil {
		return // it reports nothing
	}
	for _, packet := range packets {
		if report, ok := packet.(*rtcp.SenderReport); ok && report.SSRC == p.streams.layers.inUse() {
			p.video.noteReport(report, now)
		}
	}
}

// noteReport is for one goroutine.
func (v *Video) noteReport(r *rtcp.SenderReport, now time.Time) {
	count := int64(1)
	if before := v.report.Load(); before != nil {
		count += before.Count
	}
	v.report.Store(&liveproof.SenderReport{Count: count, NTP: r.NTPTime, RTP: r.RTPTime, ArrivedAt: now})
}
