package rtc

import (
	"bytes"

	"testing"
	"time"

	"github.com/liveproof/liveproof"
)

// TestPayloads are pictures of few packets, written out; payloads that a
// format does not allow must not become a picture.
func TestPayloads(t *testing.T) {
	key8 := []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00} // VP8 key frame tag, 16×16
	for name, c := range map[string]struct {
		codec    liveproof.Codec
		payloads [][]byte
		want     []byte // nil: refused
		key      bool
	}{
		"VP8 key":                     {liveproof.CodecVP8, [][]byte{append([]byte{0x10}, key8...)}, key8, true},
		"VP8 inter":                   {liveproof.CodecVP8, [][]byte{{0x10, 1, 2, 3}, {0x00, 4}}, []byte{1, 2, 3, 4}, false},
		"VP8 descriptor cut":          {liveproof.CodecVP8, [][]byte{{0x90, 0x80}}, nil, false},
		"VP8 no payload":              {liveproof.CodecVP8, [][]byte{{0x10}}, nil, false},
		"VP8 two starts":              {liveproof.CodecVP8, [][]byte{{0x10, 1, 2, 3}, {0x10, 4}}, nil, false},
		"VP8 no start":                {liveproof.CodecVP8, [][]byte{{0x00, 1, 2, 3}}, nil, false},
		"VP8 key without start code":  {liveproof.CodecVP8, [][]byte{{0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, nil, false},
		"H264 IDR without sets":       {liveproof.CodecH264, [][]byte{{0x65, 1}}, []byte{0, 0, 0, 1, 0x65, 1}, false},
		"H264 aggregate":              {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x67, 1, 0, 2, 0x68, 2}, {0x65, 1}}, []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 1}, true},
		"H264 fragments":              {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x01, 2}, {0x7c, 0x41, 3}}, []byte{0, 0, 0, 1, 0x61, 1, 2, 3}, false},
		"H264 fragment without start": {liveproof.CodecH264, [][]byte{{0x7c, 0x01, 2}, {0x7c, 0x41, 3}}, nil, false},
		"H264 fragment without end":   {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x01, 2}}, nil, false},
		"H264 fragment broken off":    {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x61, 1}}, nil, false},
		"H264 fragment of two types":  {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x45, 2}}, nil, false},
		"H264 fragment both ends":     {liveproof.CodecH264, [][]byte{{0x7c, 0xc1, 1}}, nil, false},
		"H264 empty fragment":         {liveproof.CodecH264, [][]byte{{0x7c, 0x81}}, nil, false},
		"H264 aggregate cut":          {liveproof.CodecH264, [][]byte{{24, 0, 9, 0x67, 1}}, nil, false},
		"H264 aggregate with a rest":  {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x61, 1, 0}}, nil, false},
		"H264 empty unit":             {liveproof.CodecH264, [][]byte{{24, 0, 0}}, nil, false},
		"H264 interleaved":            {liveproof.CodecH264, [][]byte{{25, 0, 0, 0, 1, 0x61}}, nil, false},
		"H264 reserved type":          {liveproof.CodecH264, [][]byte{{31, 1}}, nil, false},
		"VP9 key":                     {liveproof.CodecVP9, [][]byte{{0x0c, 0x82, 1}}, []byte{0x82, 1}, true},
		"VP9 inter":                   {liveproof.CodecVP9, [][]byte{{0x48, 0x86}, {0x44, 1}}, []byte{0x86, 1}, false},
		"VP9 key that is predicted":   {liveproof.CodecVP9, [][]byte{{0x4c, 0x82, 1}}, []byte{0x82, 1}, false},
		"VP9 intra only":              {liveproof.CodecVP9, [][]byte{{0x0c, 0x86, 1}}, []byte{0x86, 1}, false},
		"VP9 base layer of two":       {liveproof.CodecVP9, [][]byte{{0x2c, 0x00, 0, 0x82, 1}, {0x2c, 0x03, 0, 0x82, 2}}, []byte{0x82, 1}, true},
		"VP9 no end":                  {liveproof.CodecVP9, [][]byte{{0x08, 0x82, 1}}, nil, false},
		"VP9 no start":                {liveproof.CodecVP9, [][]byte{{0x04, 0x82, 1}}, nil, false},
		"VP9 upper layer alone":       {liveproof.CodecVP9, [][]byte{{0x2c, 0x03, 0, 0x82, 2}}, nil, false},
		"VP9 no frame marker":         {liveproof.CodecVP9, [][]byte{{0x0c, 0x02, 1}}, nil, false},
		"VP9 cut":                     {liveproof.CodecVP9, [][]byte{{0xff}}, nil, false},
		"AV1 key":                     {liveproof.CodecAV1, [][]byte{{0x28, 2, 0x08, 7, 0x30, 0x10, 9}}, []byte{0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9}, true},
		"AV1 inter":                   {liveproof.CodecAV1, [][]byte{{0x10, 0x30, 0x30, 9}}, []byte{0x12, 0, 0x32, 2, 0x30, 9}, false},
		"AV1 fragments":               {liveproof.CodecAV1, [][]byte{{0x50, 0x30, 0x30}, {0x90, 9, 8}}, []byte{0x12, 0, 0x32, 3, 0x30, 9, 8}, false},
		"AV1 fragment without start":  {liveproof.CodecAV1, [][]byte{{0x90, 0x30, 9}}, nil, false},
		"AV1 fragment without end":    {liveproof.CodecAV1, [][]byte{{0x50, 0x30, 0x30}}, nil, false},
		"AV1 fragment broken off":     {liveproof.CodecAV1, [][]byte{{0x50, 0x30, 0x30}, {0x10, 0x30, 9}}, nil, false},
		"AV1 no frame":                {liveproof.CodecAV1, [][]byte{{0x10, 0x08, 7}}, nil, false},
		"AV1 size beyond the payload": {liveproof.CodecAV1, [][]byte{{0x00, 9, 0x30, 1}}, nil, false},
		"AV1 header only":             {liveproof.CodecAV1, [][]byte{{0x10}}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDepacketizer(c.codec)
			d.reset()
			var err error
			for _, p := range c.payloads {
				if err == nil {
					err = d.add(p)
				}
			}
			var u unit
			if err == nil {
				u, err = d.finish()
			}
			if c.want == nil && err == nil {
				t.Fatalf("%x was taken", u.data)
			}
			if c.want != nil && (err != nil || !bytes.Equal(u.data, c.want) || u.key != c.key) {
				t.Fatalf("%x key %v, %v; want %x key %v", u.data, u.key, err, c.want, c.key)
			}
		})
	}
}

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

// FuzzPackets feeds arbitrary packets: no panic, bounded memory, and never a
// unit above the cap. The input is a run of records: flags, timestamp step,
// sequence step, length, payload.
func FuzzPackets(f *testing.F) {
	for _, codec := range []liveproof.Codec{liveproof.CodecVP8, liveproof.CodecVP9, liveproof.CodecH264, liveproof.CodecAV1} {
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
	f.Fuzz(func(t *testing.T, number uint8, input []byte) {
		a := newAssembler(cfg, testTypes, func(u liveproof.AccessUnit) {
			// Start codes and OBU sizes come on top of the payload's bytes.
			if len(u.Data) == 0 || len(u.Data) > 4*cfg.MaxUnitBytes+maxParameterSets {
				t.Fatalf("unit of %d bytes", len(u.Data))
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
	cfg := DefaultConfig()
	m, err := newMetrics(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := newVideo(cfg, m, func() {})
		r := &receiver{video: v, orientationID: 1, rate: rateLimit{perSecond: cfg.MaxPacketRate}}
		r.assembler = newAssembler(cfg, testTypes, v.push, v.drop)
		r.reorder = newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, r.assembler.push)
		for range 2 {
			if err := r.handle(raw, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkReassemble measures one packet of a 2 Mbit/s VP8 camera, from datagram to access unit.
func BenchmarkReassemble(b *testing.B) {
	for _, codec := range []liveproof.Codec{liveproof.CodecVP8, liveproof.CodecH264, liveproof.CodecVP9, liveproof.CodecAV1} {
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

// BenchmarkReceive adds parsing and counting: what one RTP packet costs in all.
func BenchmarkReceive(b *testing.B) {
	cfg := DefaultConfig()
	cfg.MaxPacketRate = 1 << 40
	m, _ := newMetrics(nil)
	v := newVideo(cfg, m, func() {})
	r := &receiver{video: v, rate: rateLimit{perSecond: cfg.MaxPacketRate}}
	r.assembler = newAssembler(cfg, testTypes, func(u liveproof.AccessUnit) { v.push(u); _, _, _ = v.pop() }, v.drop)
	r.reorder = newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, r.assembler.push)
	packets := packetize(liveproof.CodecVP8, encodedStream(b, liveproof.CodecVP8), 0, 0)
	raw := make([]byte, 0, receiveMTU)
	now := time.Unix(1, 0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		p := packets[i%len(packets)]
		sequence := p.sequence + uint16(i/len(packets)*len(packets))
		timestamp := p.timestamp + uint32(i/len(packets))*streamFrames*frameTicks
		second := p.payloadType
		if p.marker {
			second |= 0x80
		}
		raw = append(raw[:0], 0x80, second, byte(sequence>>8), byte(sequence), byte(timestamp>>24), byte(timestamp>>16), byte(timestamp>>8), byte(timestamp), 0, 0, 0, 1)
		raw = append(raw, p.payload...)
		if err := r.handle(raw, now); err != nil {
			b.Fatal(err)
		}
	}

}
