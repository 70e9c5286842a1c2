package rtc

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// TestParameterSetsOfTheirOwn: some senders give SPS and PPS a marker or a timestamp of their own.
func TestParameterSetsOfTheirOwn(t *testing.T) {
	got := reassemble(DefaultConfig(), []packet{
		{sequence: 1, timestamp: 1, marker: true, payloadType: 102, payload: []byte{0x67, 1}},
		{sequence: 2, timestamp: 1, marker: true, payloadType: 102, payload: []byte{0x68, 2}},
		{sequence: 3, timestamp: 9, marker: true, payloadType: 102, payload: []byte{0x65, 3}},
		{sequence: 4, timestamp: 18, marker: true, payloadType: 102, payload: []byte{0x61, 4}},
	})
	want := []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3}
	if len(got.units) != 2 || !bytes.Equal(got.units[0].Data, want) || !got.units[0].Key || len(got.units[1].Data) != 6 {
		t.Fatalf("%+v", got)
	}
}

// TestPictureIDsThatJump: the sender, or something between, left pictures out without a gap in the sequence.
func TestPictureIDsThatJump(t *testing.T) {
	inter := func(sequence uint16, id ...byte) packet {
		payload := append(append([]byte{0x90, 0x80}, id...), 0x01, 0, 0)
		return packet{sequence: sequence, timestamp: uint32(sequence), marker: true, payloadType: 96, rotation: noRotation, payload: payload}
	}
	key := inter(0, 0x7e)
	key.payload = append([]byte{0x90, 0x80, 0x7e}, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00)
	for name, c := range map[string]struct {
		packets []packet
		gap     []bool
	}{
		"in turn, 7 bits":     {[]packet{key, inter(1, 0x7f), inter(2, 0), inter(3, 1)}, []bool{false, false, false, false}},
		"in turn, 7 to 15":    {[]packet{key, inter(1, 0x7f), inter(2, 0x80, 0x80), inter(3, 0x80, 0x81)}, []bool{false, false, false, false}},
		"one left out":        {[]packet{key, inter(1, 0x7f), inter(2, 1), inter(3, 2)}, []bool{false, false, true, false}},
		"the same ID forever": {[]packet{key, inter(1, 0x7e), inter(2, 0x7e)}, []bool{false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			got := reassemble(DefaultConfig(), c.packets)
			if len(got.units) != len(c.gap) {
				t.Fatalf("%d units, drops %v", len(got.units), got.drops)
			}
			for i, u := range got.units {
				if u.Gap != c.gap[i] {
					t.Errorf("unit %d: gap %v", i, u.Gap)
				}
			}
		})
	}
}

// TestDiscardableReachesTheUnit: of VP8 with an upper temporal layer, and of H.264 (B pictures are no references).
func TestDiscardableReachesTheUnit(t *testing.T) {
	vp8 := packetize(liveproof.CodecVP8, encodedStream(t, liveproof.CodecVP8), 0, 0)
	upper := func(p packet) bool { return p.timestamp/frameTicks%2 == 1 }
	for i, p := range vp8 {
		if upper(p) {
			vp8[i].payload = bytes.Clone(p.payload)
			vp8[i].payload[0] |= 0x20 // N
		}
	}
	for i, u := range reassemble(DefaultConfig(), vp8).units {
		if u.Discardable != (i%2 == 1) {
			t.Errorf("VP8 picture %d: discardable %v", i, u.Discardable)
		}
	}
	h264, err := runEncoder([]string{"-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "aud=1:bframes=1:b-adapt=0:scenecut=0", "-f", "h264"})
	if err != nil {
		t.Fatal(err)
	}
	units := reassemble(DefaultConfig(), packetize(liveproof.CodecH264, splitAnnexB(t, h264), 0, 0)).units
	discardable := 0
	for _, u := range units {
		if u.Discardable {
			discardable++
		}
	}
	if len(units) != streamFrames || discardable < streamFrames/3 || discardable > streamFrames/2 {
		t.Fatalf("H264: %d of %d pictures are discardable", discardable, len(units))
	}
}

// FuzzPackets feeds arbitrary packets: no panic, bounded memory, and never a
// unit above the cap. The input is a run of records: flags, timestamp step,
// sequence step, length, payload.
func FuzzPackets(f *testing.F) {
	for _, codec := range codecs.Names() {
		frames := encodedStream(f, codec)[:4]
		var input []byte
		last := uint32(0)
		for _, p := range packetize(codec, frames, 0, 0) {
			payload := p.payload[:min(len(p.payload), 255)]
			flags := byte(0)
			if p.marker {
				flags = 1
			}
			input = append(input, flags, byte((p.timestamp-last)/frameTicks), 1, byte(len(payload)))
			input = append(input, payload...)
			last = p.timestamp
		}
		f.Add(payloadType(codec), input)
	}
	cfg := DefaultConfig()
	cfg.MaxUnitBytes, cfg.ReorderPackets = 4096, 16
	const parameterSets = 64 << 10 // kept from the picture before
	f.Fuzz(func(t *testing.T, number uint8, input []byte) {
		a := newAssembler(cfg, testTypes, func(u liveproof.AccessUnit) {
			// Start codes and OBU sizes come on top of the payload's bytes.
			if len(u.Data) == 0 || len(u.Data) > 4*cfg.MaxUnitBytes+parameterSets {
				t.Fatalf("unit of %d bytes", len(u.Data))
			}
			if u.Key && u.Discardable {
				t.Fatal("a key frame that may be left out")
			}
		}, func(dropReason) {})
		r := newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, a.push)
		p := packet{payloadType: number, rotation: noRotation, arrived: time.Unix(0, 0)}
		for len(input) >= 4 {
			n := min(int(input[3]), len(input)-4)
			p.marker = input[0]&1 != 0
			if input[0]&2 != 0 {
				p.payloadType ^= 96 ^ 102
			}
			p.timestamp += uint32(input[1])
			p.sequence += uint16(int8(input[2]))
			p.arrived = p.arrived.Add(time.Duration(input[0]) * time.Millisecond)
			p.payload = input[4 : 4+n]
			r.push(p)
			input = input[4+n:]
		}
		if r.waiting < 0 || r.waiting > cfg.ReorderPackets {
			t.Fatalf("%d packets wait", r.waiting)
		}
	})
}

// FuzzRTP feeds whole datagrams to the receiver.
func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0xe0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x10, 1, 2, 3})
	f.Add([]byte{0x90, 0xe0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 0x10})
	f.Add([]byte{0x90, 0xe1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x20, 'h', 0x30, 'h', 0, 1, 0x10, 1, 2, 3}) // a retransmission with both identifiers
	f.Add([]byte{0xa0, 0xe1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4})                                                  // padding alone
	cfg := DefaultConfig()
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := newTestStreams(t, cfg, announced{})
		for ssrc := range byte(3) {
			for range 2 {
				if _, err := s.handle(raw, time.Unix(1, 0)); err != nil {
					t.Fatal(err)
				}
			}
			if len(raw) > 11 {
				raw = slices.Clone(raw)
				raw[11] ^= ssrc + 1
			}
		}
	})
}

// BenchmarkReassemble measures one packet of a 2 Mbit/s VP8 camera, from datagram to access unit.
func BenchmarkReassemble(b *testing.B) {
	for _, codec := range codecs.Names() {
		b.Run(string(codec), func(b *testing.B) {
			packets := packetize(codec, encodedStream(b, codec), 0, 0)
			benchmarkPackets(b, packets)
		})
	}
	b.Run("VP8 reordered", func(b *testing.B) {
		benchmarkPackets(b, shuffled(packetize(liveproof.CodecVP8, encodedStream(b, liveproof.CodecVP8), 0, 0), 8, 1))
	})
}

func benchmarkPackets(b *testing.B, packets []packet) {
	cfg := DefaultConfig()
	m, err := newMetrics(nil)
	if err != nil {
		b.Fatal(err)
	}
	v := newVideo(cfg, m, func() {})
	a := newAssembler(cfg, testTypes, func(u liveproof.AccessUnit) { v.push(u); _, _, _ = v.pop() }, v.drop)
	a.recycle = v.spare
	r := newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, a.push)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		p := packets[i%len(packets)]
		p.sequence += uint16(i / len(packets) * len(packets))
		p.timestamp += uint32(i/len(packets)) * streamFrames * frameTicks
		r.push(p)
	}
	b.ReportMetric(float64(v.Stats().AccessUnits)/float64(b.N), "units/packet")
}

// BenchmarkReceive adds parsing, counting and what the sender is told: what one RTP packet costs in all, and one of a
// layer that is not in use.
func BenchmarkReceive(b *testing.B) {
	b.Run("in use", func(b *testing.B) { benchmarkReceive(b, 1) })
	b.Run("other layer", func(b *testing.B) { benchmarkReceive(b, 2) })
}

func benchmarkReceive(b *testing.B, ssrc byte) {
	cfg := DefaultConfig()
	cfg.MaxPacketRate = 1 << 40
	s := newTestStreams(b, cfg, announced{})
	packets := packetize(liveproof.CodecVP8, encodedStream(b, liveproof.CodecVP8), 0, 0)
	raw := make([]byte, 0, receiveMTU)
	now := time.Unix(1, 0)
	send := func(i int, ssrc byte) {
		p := packets[i%len(packets)]
		sequence := p.sequence + uint16(i/len(packets)*len(packets))
		timestamp := p.timestamp + uint32(i/len(packets))*streamFrames*frameTicks
		second := p.payloadType
		if p.marker {
			second |= 0x80
		}
		raw = append(raw[:0], 0x80, second, byte(sequence>>8), byte(sequence), byte(timestamp>>24), byte(timestamp>>16), byte(timestamp>>8), byte(timestamp), 0, 0, 0, ssrc)
		raw = append(raw, p.payload...)
		if _, err := s.handle(raw, now); err != nil {
			b.Fatal(err)
		}
		_, _, _ = s.video.pop()
	}
	send(0, 1) // the first one is used
	for i := range packets {
		send(i, ssrc)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		send(i+len(packets), ssrc)
	}
}
