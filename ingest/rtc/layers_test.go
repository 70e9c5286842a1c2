package rtc

import (
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
)

// Header extensions of newTestStreams.
const (
	testOrientation = 1
	testRID         = 2
	testRepairedRID = 3
)

// testRepair is the payload type of VP8's retransmissions.
const testRepair = 97

// newTestStreams takes packets of testTypes.
func newTestStreams(t testing.TB, cfg Config, a announced) *streams {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	factory, err := newFeedbackFactory(cfg, loggers{discard()})
	if err != nil {
		t.Fatal(err)
	}
	f, err := factory.newFeedback(func([]rtcp.Packet) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	s := newStreams(cfg, newVideo(cfg, m, func() {}), f, discard(), func(uint32) {})
	s.configure(negotiated{codecs: testTypes, repairs: map[uint8]uint8{testRepair: 96}, losses: true, extensions: []interceptor.RTPHeaderExtension{
		{URI: orientationURI, ID: testOrientation}, {URI: sdp.SDESRTPStreamIDURI, ID: testRID}, {URI: sdp.SDESRepairRTPStreamIDURI, ID: testRepairedRID},
	}}, a)
	return s
}
