package rtc

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"

	"github.com/liveproof/liveproof"
)

// Header extensions of newTestStreams.
const (
	testOrientation = 1
	testRID         = 2
	testRepairedRID = 3
	testMID         = 4
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
	s := newStreams(cfg, newVideo(cfg, m, func() {}), f, discard(), func(uint32) {}, func(float64) {})
	s.configure(negotiated{codecs: testTypes, repairs: map[uint8]uint8{testRepair: 96}, losses: true, extensions: []interceptor.RTPHeaderExtension{
		{URI: orientationURI, ID: testOrientation}, {URI: sdp.SDESRTPStreamIDURI, ID: testRID}, {URI: sdp.SDESRepairRTPStreamIDURI, ID: testRepairedRID}, {URI: sdp.SDESMidURI, ID: testMID},
	}}, a)
	return s
}

// sender sends pictures of made-up VP8 streams to a peer's streams, without a network.
type sender struct {
	t     *testing.T
	to    *streams
	now   time.Time
	asked map[uint32]int // key frame requests by SSRC
	out   []sent
}

// sent is a unit that came out, with the SSRC of the layer in use.
type sent struct {
	liveproof.AccessUnit
	ssrc uint32
}

// camera is one of the sender's streams.
type camera struct {
	ssrc          uint32
	rid           string
	width, height uint16
	sequence      uint16
	timestamp     uint32
	begun         bool
}

func newSender(t *testing.T, a announced) *sender {
	t.Helper()
	s := &sender{t: t, now: time.Unix(1000, 0), asked: map[uint32]int{}}
	s.to = newTestStreams(t, DefaultConfig(), a)
	ask := func(ssrc uint32) { s.asked[ssrc]++ }
	s.to.layers.sendPLI = ask
	s.to.video.sendPLI = func() { ask(s.to.layers.inUse()) }
	s.to.video.pliInterval = 0 // it goes by the real clock
	return s
}

// picture sends one picture in one packet; a stream begins with a key frame, and one follows a request.
func (s *sender) picture(c *camera) {
	key := !c.begun || s.asked[c.ssrc] > 0
	c.begun = true
	delete(s.asked, c.ssrc)
	frame := []byte{1, 0, 0, byte(c.sequence)}
	if key {
		frame = append([]byte{0, 0, 0, 0x9d, 1, 0x2a, byte(c.width), byte(c.width >> 8), byte(c.height), byte(c.height >> 8)}, make([]byte, c.width)...)
	}
	s.send(c, 96, append([]byte{0x10}, frame...))
}

func (s *sender) send(c *camera, payloadType uint8, payload []byte) {
	s.t.Helper()
	c.sequence++
	header := rtp.Header{Version: 2, Marker: true, PayloadType: payloadType, SequenceNumber: c.sequence, SSRC: c.ssrc,
		Timestamp: c.timestamp + uint32(s.now.Sub(time.Unix(1000, 0))*clockRate/time.Second)}
	if c.rid != "" {
		if err := header.SetExtension(testRID, []byte(c.rid)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.raw(&rtp.Packet{Header: header, Payload: payload})
}

func (s *sender) raw(p *rtp.Packet) {
	s.t.Helper()
	raw, err := p.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.to.handle(raw, s.now); err != nil {
		s.t.Fatal(err)
	}
	for u, ok, _ := s.to.video.pop(); ok; u, ok, _ = s.to.video.pop() {
		s.out = append(s.out, sent{u, s.to.layers.current.ssrc})
	}
}

// play sends pictures of all these streams at 30 a second.
func (s *sender) play(during time.Duration, cameras ...*camera) {
	s.t.Helper()
	for end := s.now.Add(during); s.now.Before(end); s.now = s.now.Add(time.Second / 30) {
		for _, c := range cameras {
			s.picture(c)
		}
	}
}

func (s *sender) newest() sent {
	s.t.Helper()
	if len(s.out) == 0 {
		s.t.Fatal("no unit came")
	}
	return s.out[len(s.out)-1]
}

// check wants units whose time only grows and stays near the server's clock, and in which every
// change of the stream is a key frame that says so. It returns the SSRCs in the order of their use.
func (s *sender) check() (used []uint32) {
	s.t.Helper()
	for i, u := range s.out {
		if i == 0 || u.ssrc != s.out[i-1].ssrc {
			used = append(used, u.ssrc)
		}
		if u.Stream != len(used) {
			s.t.Fatalf("unit %d: stream %d of %v", i, u.Stream, used)
		}
		if elapsed := u.ArrivedAt.Sub(s.out[0].ArrivedAt); (u.PTS - elapsed).Abs() > 50*time.Millisecond {
			s.t.Fatalf("unit %d: time %v after %v", i, u.PTS, elapsed)
		}
		if i == 0 {
			continue
		}
		if u.PTS <= s.out[i-1].PTS {
			s.t.Fatalf("unit %d: %v after %v", i, u.PTS, s.out[i-1].PTS)
		}
		if changed := u.Stream != s.out[i-1].Stream; changed && (!u.Key || !u.Gap) {
			s.t.Fatalf("unit %d of another stream: key %v, gap %v", i, u.Key, u.Gap)
		}
	}
	return used
}

// threeLayers of one camera, as browsers send them.
func threeLayers() (low, middle, high *camera) {
	return &camera{ssrc: 11, rid: "q", width: 320, height: 240, timestamp: 77}, &camera{ssrc: 12, rid: "h", width: 640, height: 480, timestamp: 1 << 31},
		&camera{ssrc: 13, rid: "f", width: 1280, height: 960, timestamp: 1<<32 - 9000, sequence: 65530}
}

func (s *sender) want(used ...uint32) {
	s.t.Helper()
	if got := s.check(); !slices.Equal(got, used) {
		s.t.Fatalf("streams in use: %v, want %v", got, used)
	}
}

func TestFirstLayer(t *testing.T) {
	low, middle, high := threeLayers()
	tall := &camera{ssrc: 14, width: 1440, height: 2560}
	narrow := &camera{ssrc: 15, width: 360, height: 640}
	for name, c := range map[string]struct {
		announced int
		sent      []*camera
		want      uint32
	}{
		"the smallest that is enough":           {3, []*camera{low, middle, high}, 12},
		"in whatever order they come":           {3, []*camera{high, low, middle}, 12},
		"none is enough":                        {2, []*camera{low, narrow}, 15},
		"all are enough":                        {2, []*camera{tall, high}, 13},
		"the shorter side counts":               {2, []*camera{narrow, tall}, 14},
		"fewer come than were announced":        {3, []*camera{low, high}, 13},
		"one comes of three":                    {3, []*camera{low}, 11},
		"one, nothing announced":                {0, []*camera{low}, 11},
		"several, and nothing announced":        {0, []*camera{high, middle}, 13},
		"nothing announced, the first is small": {0, []*camera{low, middle, high}, 12},
	} {
		t.Run(name, func(t *testing.T) {
			for _, camera := range c.sent {
				camera.begun = false
			}
			s := newSender(t, announced{streams: c.announced})
			s.play(2*time.Second, c.sent...)
			s.check()
			if got := s.newest().ssrc; got != c.want {
				t.Fatalf("layer %d is in use, want %d", got, c.want)
			}
			if frames := 2 * 30; len(s.out) < frames-int(gatherLayers*30/time.Second)-3 {
				t.Fatalf("%d units", len(s.out))
			}
		})
	}
}

// TestOtherLayersAreNotReassembled: once their size is known their packets are thrown away.
func TestOtherLayersAreNotReassembled(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low, middle, high)
	s.want(12)
	for _, l := range s.to.layers.all {
		if (l.receiver != nil) != (l == s.to.layers.current) {
			t.Fatalf("layer %s", l.rid)
		}
	}
	if dropped := s.to.video.Stats().Dropped; dropped["other_layer"] < 50 || len(dropped) > 1 {
		t.Fatalf("%v", dropped)
	}
	if n := s.asked[11] + s.asked[13]; n > 0 {
		t.Fatalf("%d key frames asked of layers that are not used", n)
	}
}

// TestRampUp: a sender begins with its smallest layer and adds the others when it knows its bandwidth.
func TestRampUp(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low)
	s.play(time.Second, low, middle)
	s.play(time.Second, low, middle, high)
	s.want(11, 12)
}

// TestLateLayersAreLeftAlone: a call that stands is not disturbed by a layer that nobody asked for.
func TestLateLayersAreLeftAlone(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(2*rampUp, low)
	s.play(rampUp, low, middle, high)
	s.want(11)
}

// TestReducedPictures: a small layer counts as reduced while the sender has a larger one, which does not come or is not used.
func TestReducedPictures(t *testing.T) {
	small := func(ssrc uint32, width, height uint16) *camera {
		return &camera{ssrc: ssrc, width: width, height: height}
	}
	for name, tt := range map[string]struct {
		streams int
		come    []*camera
		want    bool
	}{
		"one small stream":                           {1, []*camera{small(1, 320, 240)}, false},
		"one of two announced":                       {2, []*camera{small(1, 320, 240)}, true},
		"two of three announced":                     {3, []*camera{small(1, 160, 120), small(2, 320, 240)}, true},
		"two of three announced, one large enough":   {3, []*camera{small(1, 320, 240), small(2, 640, 480)}, false},
		"all that were announced, the largest small": {2, []*camera{small(1, 160, 120), small(2, 320, 240)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t, announced{streams: tt.streams})
			s.play(2*time.Second, tt.come...)
			if got := s.to.video.Reduced(); got != tt.want {
				t.Fatalf("reduced: %v", got)
			}
		})
	}
	t.Run("a larger one comes late", func(t *testing.T) {
		low, middle, _ := threeLayers()
		s := newSender(t, announced{})
		s.play(2*rampUp, low)
		if s.to.video.Reduced() {
			t.Fatal("before it")
		}
		s.play(rampUp, low, middle)
		if !s.to.video.Reduced() {
			t.Fatal("after it")
		}
		s.want(low.ssrc)
		s.to.video.PreferLarger()
		s.play(time.Second, low, middle)
		if s.to.video.Reduced() {
			t.Fatal("in use")
		}
	})
}

func TestPreferLarger(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low, middle, high)
	s.to.video.PreferLarger()
	s.play(time.Second, low, middle, high)
	s.want(12, 13)
	s.to.video.PreferLarger() // there is none
	s.play(time.Second, low, middle, high)
	s.want(12, 13)
}

// TestPreferLargerWithoutOne changes nothing: one stream, one that is paused, one that gives no key frame.
func TestPreferLargerWithoutOne(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low, middle, high)
	s.play(2*silence, low, middle)
	s.to.video.PreferLarger()
	s.play(time.Second, low, middle)
	s.want(12)
	for range 90 { // the larger one comes, but never with a key frame
		s.play(time.Second/30, low, middle)
		delete(s.asked, 13)
		s.picture(high)
		s.to.video.PreferLarger()
	}
	s.want(12)
}

// TestLayerFallsSilent: a sender without bandwidth pauses its largest layers.
func TestLayerFallsSilent(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low, middle, high)
	for range 3 * 30 {
		s.play(time.Second/30, low)
		middle.sequence++
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: middle.ssrc, SequenceNumber: middle.sequence, Padding: true}, PaddingSize: 100}) // a probe of the bandwidth
	}
	s.want(12, 11)
	s.play(time.Second, low, middle, high)
	s.want(12, 11)
	s.to.video.PreferLarger()
	s.play(time.Second, low, middle, high)
	s.want(12, 11, 12)
}

// TestNetworkBreak: after a break all layers come again, and the one in use stays.
func TestNetworkBreak(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low, middle, high)
	s.now = s.now.Add(3 * time.Second)
	s.play(time.Second, low, middle, high)
	s.want(12)
}

// TestSenderStalls: a sender that is stopped for a second between two of its layers has paused neither.
func TestSenderStalls(t *testing.T) {
	low, middle, high := threeLayers()
	s := newSender(t, announced{streams: 3})
	s.play(time.Second, low, middle, high)
	s.picture(low)
	s.now = s.now.Add(silence - time.Second/60)
	s.play(time.Second, low, middle, high)
	s.want(12)
}

// TestSenderBeginsAgain: its new stream is followed once the old one is silent, and not before.
func TestSenderBeginsAgain(t *testing.T) {
	for name, a := range map[string]announced{"undeclared": {}, "declared": {streams: 1}, "simulcast": {streams: 3}} {
		t.Run(name, func(t *testing.T) {
			first, second := &camera{ssrc: 1, width: 640, height: 480, timestamp: 9}, &camera{ssrc: 2, width: 320, height: 240, timestamp: 1 << 30}
			s := newSender(t, a)
			s.play(2*time.Second, first)
			began := s.now
			s.play(3*time.Second, second)
			s.want(1, 2)
			at := slices.IndexFunc(s.out, func(u sent) bool { return u.ssrc == 2 })
			if waited := s.out[at].ArrivedAt.Sub(began); waited < silence-100*time.Millisecond || waited > silence+300*time.Millisecond {
				t.Fatalf("it was followed after %v", waited)
			}
		})
	}
}

// TestTwoStreamsByTurns: a sender that sends two streams by turns, each perhaps of another person,
// never gets pictures of both under one number.
func TestTwoStreamsByTurns(t *testing.T) {
	for _, turn := range []time.Duration{time.Second / 30, 500 * time.Millisecond, 1200 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
		t.Run(turn.String(), func(t *testing.T) {
			a, b := &camera{ssrc: 1, width: 640, height: 480}, &camera{ssrc: 2, width: 640, height: 480, timestamp: 12345}
			s := newSender(t, announced{})
			for range 20 * time.Second / (2 * turn) {
				s.play(turn, a)
				s.play(turn, b)
			}
			s.check()
			if turn < silence && s.newest().Stream != 1 {
				t.Fatalf("%d changes between streams neither of which is silent", s.newest().Stream)
			}
			for _, u := range s.out {
				if (u.Stream%2 == 1) != (u.ssrc == 1) {
					t.Fatalf("stream %d shows SSRC %d", u.Stream, u.ssrc)
				}
			}
		})
	}
}

// TestTimeOfASenderWhoseClockRuns: the stream before ran ahead or behind by hours; the next one
// goes on near the server's clock.
func TestTimeOfASenderWhoseClockRuns(t *testing.T) {
	for _, jump := range []uint32{clockRate * 3600, 1<<32 - clockRate*3600} {
		first, second := &camera{ssrc: 1, width: 640, height: 480}, &camera{ssrc: 2, width: 640, height: 480}
		s := newSender(t, announced{})
		s.play(time.Second, first)
		first.timestamp += jump
		s.play(time.Second, first)
		began := s.now
		s.play(3*time.Second, second)
		u := s.newest()
		if elapsed := s.now.Sub(time.Unix(1000, 0)); u.ssrc != 2 || (u.PTS-elapsed).Abs() > ahead+time.Second/10 {
			t.Fatalf("%v after %v, switched at %v", u.PTS, elapsed, began)
		}
	}
}

// TestRetransmissions are matched with their layer by declared SSRCs, by rid, or by what is missing.
func TestRetransmissions(t *testing.T) {
	for name, c := range map[string]struct {
		announced announced
		repaired  string // header extension
		want      bool
		of        uint32 // SSRC of the layer that the packet belongs to
	}{
		"declared":                         {announced{repairs: map[uint32]uint32{99: 1}}, "", true, 1},
		"by rid":                           {announced{}, "h", true, 1},
		"by what is missing":               {announced{}, "", true, 1},
		"of another layer, declared":       {announced{repairs: map[uint32]uint32{99: 2}}, "", false, 2},
		"of another layer, by rid":         {announced{}, "l", false, 2},
		"of another layer, without a word": {announced{}, "", false, 2},
		"of a layer that is not there":     {announced{repairs: map[uint32]uint32{99: 77}}, "", true, 1},
		"of a rid that is not there":       {announced{}, "x", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			used, other := &camera{ssrc: 1, rid: "h", width: 640, height: 480, timestamp: 5}, &camera{ssrc: 2, rid: "l", width: 160, height: 120, timestamp: 1 << 31}
			s := newSender(t, c.announced)
			s.play(time.Second, used, other)
			s.want(1)
			before := len(s.out)
			lost := rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, PayloadType: testRepair, SSRC: 99,
				Timestamp: used.timestamp + uint32(s.now.Sub(time.Unix(1000, 0))*clockRate/time.Second)}}
			if c.of == 2 {
				lost.Timestamp += other.timestamp
			}
			used.sequence++
			lost.Payload = []byte{byte(used.sequence >> 8), byte(used.sequence), 0x10, 1, 0, 0, 42}
			if c.repaired != "" {
				if err := lost.SetExtension(testRepairedRID, []byte(c.repaired)); err != nil {
					t.Fatal(err)
				}
			}
			s.now = s.now.Add(time.Second / 30)
			s.picture(used)
			if len(s.out) != before {
				t.Fatal("nothing waits for the lost packet")
			}
			s.raw(&lost)
			if repaired := len(s.out) == before+2 && !s.newest().Gap && s.out[before].Data[3] == 42; repaired != c.want {
				t.Fatalf("%d units came, %v", len(s.out)-before, s.to.video.Stats().Dropped)
			}
		})
	}
}

// TestPacketsThatAreNoPictures: probes of the bandwidth, redundancy and strangers do no harm.
func TestPacketsThatAreNoPictures(t *testing.T) {
	c := &camera{ssrc: 1, width: 640, height: 480}
	a := announced{repairs: map[uint32]uint32{99: 1}, foreign: map[uint32]bool{7: true}, mid: "0"}
	other := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 8}, Payload: []byte{0x10, 0, 0}}
	if err := other.SetExtension(testMID, []byte("1")); err != nil {
		t.Fatal(err)
	}
	s := newSender(t, a)
	s.raw(&other)
	s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 0, Padding: true}, PaddingSize: 200}) // before any picture
	s.play(time.Second, c)
	s.want(1)
	before := len(s.out)
	for i := range uint16(30) {
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: testRepair, SSRC: 99, SequenceNumber: i, Padding: true}, PaddingSize: 200}) // padding alone
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: testRepair, SSRC: 99, SequenceNumber: i}, Payload: []byte{1}})
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: testRepair, SSRC: 98, SequenceNumber: i}, Payload: []byte{0, 1, 2, 3}}) // repairs nothing that is known
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 0, SequenceNumber: i, Padding: true}, PaddingSize: 200})
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 49, SSRC: 21, SequenceNumber: i}, Payload: []byte{1, 2, 3}})   // FlexFEC
		s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 7, SequenceNumber: i}, Payload: []byte{0x10, 0, 0}}) // of another section
		s.raw(&other)                                                                                                                // of another section, by its MID
		s.send(c, 120, []byte{96, 1, 2, 3})                                                                                          // RED: it takes a sequence number
		s.send(c, 123, []byte{1, 2, 3})                                                                                              // ULPFEC
		s.play(time.Second/30, c)
	}
	s.want(1)
	if s.newest().Gap || len(s.out) != before+30 {
		t.Fatalf("%d units, gap %v", len(s.out), s.newest().Gap)
	}
	if dropped := s.to.video.Stats().Dropped; dropped["unknown"] != 4*30 || len(dropped) != 1 {
		t.Fatalf("%v", dropped)
	}
}

// TestProbesAreBounded: a sender of many streams makes this side reassemble only a few.
func TestProbesAreBounded(t *testing.T) {
	s := newSender(t, announced{})
	var many []*camera
	for i := range uint32(30) {
		many = append(many, &camera{ssrc: 1 + i, width: 640, height: 480, begun: true})
	}
	for range 20 * 30 {
		for _, c := range many {
			delete(s.asked, c.ssrc)
			s.picture(c) // and never a key frame
		}
		reading := 0
		for _, l := range s.to.layers.all {
			if l.receiver != nil {
				reading++
			}
		}
		if reading > probes+2 {
			t.Fatalf("%d streams are reassembled", reading)
		}
		s.now = s.now.Add(time.Second / 30)
	}
	if len(s.out) > 0 {
		t.Fatal("a picture came without a key frame")
	}
}

// TestSilentProbesMakeRoom: layers that fell silent before they showed their size do not keep others from showing theirs.
func TestSilentProbesMakeRoom(t *testing.T) {
	s := newSender(t, announced{})
	used, late := &camera{ssrc: 1, width: 640, height: 480}, &camera{ssrc: 100, width: 1280, height: 720}
	var mute []*camera
	for i := range uint32(probes) {
		mute = append(mute, &camera{ssrc: 2 + i, begun: true}) // without a key frame
	}
	s.play(time.Second/4, append(mute, used)...)
	s.play(2*silence, used)
	s.play(time.Second, used, late)
	for _, l := range s.to.layers.all {
		if silent := l.ssrc != used.ssrc && l.ssrc != late.ssrc; silent && l.receiver != nil {
			t.Errorf("stream %d is silent and kept", l.ssrc)
		}
		if l.ssrc == late.ssrc && l.side() != 720 {
			t.Errorf("side %d", l.side())
		}
	}
}

// TestRetransmissionsOfASenderThatBeganAgain: of two streams with one rid, the retransmissions belong to the newer.
func TestRetransmissionsOfASenderThatBeganAgain(t *testing.T) {
	before, after := &camera{ssrc: 1, rid: "h", width: 640, height: 480}, &camera{ssrc: 2, rid: "h", width: 640, height: 480}
	s := newSender(t, announced{})
	s.play(time.Second, before)
	s.play(3*time.Second, after)
	s.want(1, 2)
	for i := range uint32(20) { // the order of a map is random
		repair := rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, PayloadType: testRepair, SSRC: 50 + i,
			Timestamp: after.timestamp + uint32(s.now.Sub(time.Unix(1000, 0))*clockRate/time.Second)}}
		after.sequence++
		repair.Payload = []byte{byte(after.sequence >> 8), byte(after.sequence), 0x10, 1, 0, 0, 42}
		if err := repair.SetExtension(testRepairedRID, []byte("h")); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Second / 30)
		s.picture(after)
		came := len(s.out)
		s.raw(&repair)
		if len(s.out) != came+2 {
			t.Fatalf("retransmission %d was not taken: %v", i, s.to.video.Stats().Dropped)
		}
	}
}

// TestPaddingIsNoMedia: who sends only probes of the bandwidth is idle.
func TestPaddingIsNoMedia(t *testing.T) {
	s := newSender(t, announced{repairs: map[uint32]uint32{99: 1}})
	s.play(time.Second, &camera{ssrc: 1, width: 640, height: 480})
	for name, c := range map[string]struct {
		packet rtp.Packet
		media  bool
	}{
		"picture":                {rtp.Packet{Header: rtp.Header{SSRC: 1, PayloadType: 96}, Payload: []byte{0x10, 1}}, true},
		"retransmission":         {rtp.Packet{Header: rtp.Header{SSRC: 99, PayloadType: testRepair}, Payload: []byte{0, 1, 0x10, 1}}, true},
		"padding":                {rtp.Packet{Header: rtp.Header{SSRC: 1, PayloadType: 96, Padding: true}, PaddingSize: 100}, false},
		"retransmitted padding":  {rtp.Packet{Header: rtp.Header{SSRC: 99, PayloadType: testRepair, Padding: true}, Payload: []byte{0, 1}, PaddingSize: 100}, false},
		"padding of its own":     {rtp.Packet{Header: rtp.Header{SSRC: 99, PayloadType: testRepair, Padding: true}, PaddingSize: 100}, false},
		"padding of no stream":   {rtp.Packet{Header: rtp.Header{SSRC: 5, PayloadType: 96, Padding: true}, PaddingSize: 100}, false},
		"padding of another one": {rtp.Packet{Header: rtp.Header{SSRC: 6, PayloadType: testRepair, Padding: true}, PaddingSize: 100}, false},
	} {
		c.packet.Version = 2
		raw, err := c.packet.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if media, err := s.to.handle(raw, s.now); media != c.media || err != nil {
			t.Errorf("%s: media %v, %v", name, media, err)
		}
	}
}

// TestStreamOfAnotherSection: any MID but that of the section makes a stream foreign, whatever characters it has.
func TestStreamOfAnotherSection(t *testing.T) {
	for _, mid := range []string{"1", "audio", "cam!2", "v.1"} {
		s := newSender(t, announced{mid: "v"})
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 8, Marker: true}, Payload: []byte{0x10, 0, 0}}
		if err := p.SetExtension(testMID, []byte(mid)); err != nil {
			t.Fatal(err)
		}
		s.raw(&p)
		if len(s.to.layers.all) > 0 {
			t.Errorf("%q has a layer", mid)
		}
	}
}
