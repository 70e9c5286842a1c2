package rtc

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/liveproof/liveproof"
)

// TestSenderReports: the reports of the stream in use are told, and those of other streams are not.
func TestSenderReports(t *testing.T) {
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{})
	c.play(encodedStream(t, liveproof.CodecVP8), 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	ssrc := uint32(c.pc.GetSenders()[0].GetParameters().Encodings[0].SSRC)
	deadline := time.Now().Add(patience)
	for {
		// pion reports too, and by itself.
		if err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.SenderReport{SSRC: ssrc + 1, NTPTime: 7, RTPTime: 7}, &rtcp.SenderReport{SSRC: ssrc, NTPTime: 42, RTPTime: 43}}); err != nil {
			t.Fatal(err)
		}
		r := v.Sender().Report
		switch {
		case r != nil && r.NTP == 7:
			t.Fatal("a report of another stream")
		case r != nil && r.NTP == 42 && r.RTP == 43 && r.Count > 0 && time.Since(r.ArrivedAt) < patience:
			return
		case time.Now().After(deadline):
			t.Fatalf("no report: %+v", r)
		}
		next(t, v)
	}
}

// TestUnitsHaveTheirTimestamp: a report is compared with the RTP timestamp as it was sent.
func TestUnitsHaveTheirTimestamp(t *testing.T) {
	var got []liveproof.AccessUnit
	a := newAssembler(DefaultConfig(), map[uint8]liveproof.Codec{96: liveproof.CodecVP8}, func(u liveproof.AccessUnit) { got = append(got, u) }, func(dropReason) {})
	key := []byte{0x10, 0x50, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, 0, 0}
	for i, at := range []uint32{0xffff_ff00, 2744} {
		a.push(packet{sequence: uint16(i), timestamp: at, marker: true, payloadType: 96, payload: key}, false)
	}
	if len(got) != 2 || got[0].Timestamp != 0xffff_ff00 || got[1].Timestamp != 2744 || got[1].PTS-got[0].PTS != time.Second/30 {
		t.Fatalf("%+v", got)
	}
}
