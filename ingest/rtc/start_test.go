package rtc

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// Payloads of H.264: enough of each NAL unit for what is read of it.
var (
	spsA  = []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6}
	spsB  = []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf7}
	ppsA  = []byte{0x68, 0xce, 0x0f, 0xc8}
	seiA  = []byte{0x06, 0x05, 0x01, 0x55, 0x80}
	audA  = []byte{0x09, 0x10}
	idrA  = []byte{0x65, 0x88, 0x80, 0x10}
	idrA2 = []byte{0x65, 0x05, 0x88, 0x80} // another slice: first_mb_in_slice is not 0
	refP  = []byte{0x41, 0x9a, 0x01, 0x02}
	refP2 = []byte{0x41, 0x05, 0x9a, 0x02}
)

func stapA(nals ...[]byte) []byte {
	out := []byte{24}
	for _, nal := range nals {
		out = append(append(out, 0, byte(len(nal))), nal...)
	}
	return out
}

// fuA fragments a NAL unit into n packets.
func fuA(nal []byte, n int) (out [][]byte) {
	for i, body := 0, nal[1:]; i < n; i++ {
		part := body[i*len(body)/n : (i+1)*len(body)/n]
		flags := nal[0] & 0x1f
		if i == 0 {
			flags |= 0x80
		}
		if i == n-1 {
			flags |= 0x40
		}
		out = append(out, append([]byte{nal[0]&0xe0 | nalFUA, flags}, part...))
	}
	return out
}

const nalFUA = 28

func annexBOf(nals ...[]byte) (out []byte) {
	for _, nal := range nals {
		out = append(append(out, 0, 0, 0, 1), nal...)
	}
	return out
}

// pictures makes packets of payloads, a timestamp for each list; the last of each has the marker.
func pictures(codec liveproof.Codec, sequence uint16, lists ...[][]byte) (packets []packet) {
	for i, payloads := range lists {
		for j, payload := range payloads {
			packets = append(packets, packet{
				sequence: sequence, timestamp: uint32(i) * frameTicks, marker: j == len(payloads)-1, payloadType: payloadType(codec),
				rotation: noRotation, payload: payload, arrived: time.Unix(1, 0).Add(time.Duration(i) * 33 * time.Millisecond),
			})
			sequence++
		}
	}
	return packets
}

// TestFirstPictures: how a stream may begin, and how it may not. Nothing comes before the first packet, or it was
// lost.
func TestFirstPictures(t *testing.T) {
	vp8Key := append([]byte{0x10}, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00)
	h264, vp8, vp9, av1 := liveproof.CodecH264, liveproof.CodecVP8, liveproof.CodecVP9, liveproof.CodecAV1
	for name, c := range map[string]struct {
		codec    liveproof.Codec
		payloads [][]byte
		want     []byte // nil: not taken
	}{
		"H264 SEI, SPS, PPS, IDR":             {h264, [][]byte{seiA, spsA, ppsA, idrA}, annexBOf(seiA, spsA, ppsA, idrA)},
		"H264 delimiter, SEI, SPS, PPS, IDR":  {h264, [][]byte{audA, seiA, spsA, ppsA, idrA}, annexBOf(audA, seiA, spsA, ppsA, idrA)},
		"H264 PPS, SPS, IDR":                  {h264, [][]byte{ppsA, spsA, idrA}, annexBOf(ppsA, spsA, idrA)},
		"H264 all in one packet, SEI first":   {h264, [][]byte{stapA(seiA, spsA, ppsA, idrA)}, annexBOf(seiA, spsA, ppsA, idrA)},
		"H264 all in one packet, delimiter":   {h264, [][]byte{stapA(audA, seiA, spsA, ppsA, idrA)}, annexBOf(audA, seiA, spsA, ppsA, idrA)},
		"H264 sets in one packet, fragments":  {h264, append([][]byte{stapA(spsA, ppsA)}, fuA(idrA, 3)...), annexBOf(spsA, ppsA, idrA)},
		"H264 a set in fragments":             {h264, append(fuA(spsA, 2), ppsA, idrA), annexBOf(spsA, ppsA, idrA)},
		"H264 SEI in fragments":               {h264, append(fuA(seiA, 2), spsA, ppsA, idrA), annexBOf(seiA, spsA, ppsA, idrA)},
		"H264 two slices":                     {h264, [][]byte{spsA, ppsA, idrA, idrA2}, annexBOf(spsA, ppsA, idrA, idrA2)},
		"H264 slices before the sets":         {h264, [][]byte{idrA, spsA, ppsA}, annexBOf(idrA, spsA, ppsA)},
		"H264 the second slice":               {h264, [][]byte{idrA2, spsA, ppsA}, nil},
		"H264 without sets":                   {h264, [][]byte{idrA}, nil},
		"H264 SEI, then without sets":         {h264, [][]byte{seiA, idrA}, nil},
		"H264 SPS lost":                       {h264, [][]byte{ppsA, idrA}, nil},
		"H264 the middle of a fragment":       {h264, append(fuA(spsA, 3)[1:], ppsA, idrA), nil},
		"H264 the end of a picture":           {h264, [][]byte{refP2}, nil},
		"VP8":                                 {vp8, [][]byte{vp8Key}, vp8Key[1:]},
		"VP8 second partition":                {vp8, [][]byte{append([]byte{0x11}, vp8Key[1:]...)}, nil},
		"VP8 no start":                        {vp8, [][]byte{append([]byte{0x00}, vp8Key[1:]...)}, nil},
		"VP9":                                 {vp9, [][]byte{{0x0c, 0x82, 1}}, []byte{0x82, 1}},
		"VP9 base layer of two":               {vp9, [][]byte{{0x2c, 0x00, 0, 0x82, 1}, {0x2c, 0x03, 0, 0x82, 2}}, []byte{0x82, 1}},
		"VP9 upper layer first":               {vp9, [][]byte{{0x2c, 0x03, 0, 0x82, 2}, {0x2c, 0x00, 0, 0x82, 1}}, nil},
		"VP9 no start":                        {vp9, [][]byte{{0x04, 0x82, 1}}, nil},
		"AV1 new sequence":                    {av1, [][]byte{{0x28, 2, 0x08, 7, 0x30, 0x10, 9}}, []byte{0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9}},
		"AV1 sequence header":                 {av1, [][]byte{{0x20, 2, 0x08, 7, 0x30, 0x10, 9}}, []byte{0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9}},
		"AV1 sequence header alone":           {av1, [][]byte{{0x10, 0x08, 7}, {0x10, 0x30, 0x10, 9}}, []byte{0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9}},
		"AV1 temporal delimiter":              {av1, [][]byte{{0x30, 1, 0x10, 2, 0x08, 7, 0x30, 0x10, 9}}, []byte{0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9}},
		"AV1 frame":                           {av1, [][]byte{{0x10, 0x30, 0x10, 9}}, nil},
		"AV1 rest of an OBU, marked as first": {av1, [][]byte{{0xa8, 2, 0x08, 7, 0x30, 0x10, 9}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sequence := range []uint16{0, 1, 40000, 65535} {
				for _, lost := range []bool{false, true} {
					packets := pictures(c.codec, sequence, c.payloads)
					if lost { // a picture before, of which the last packet is lost
						before := pictures(c.codec, sequence-3, [][]byte{c.payloads[0], c.payloads[len(c.payloads)-1]})
						for i := range before {
							before[i].timestamp -= frameTicks
							before[i].marker = false
						}
						packets = append(before, packets...)
					}
					// What lets the reorder buffer give up: time.
					late := packets[len(packets)-1]
					late.sequence, late.payload, late.arrived = late.sequence+1, nil, late.arrived.Add(time.Second)
					got := reassemble(DefaultConfig(), append(packets, late))
					if c.want == nil && len(got.units) > 0 {
						t.Fatalf("%d, lost %v: %x was taken", sequence, lost, got.units[0].Data)
					}
					if c.want != nil && (len(got.units) != 1 || !bytes.Equal(got.units[0].Data, c.want) || !got.units[0].Key) {
						t.Fatalf("%d, lost %v: %+v", sequence, lost, got)
					}
				}
			}
		})
	}
}

// TestFirstPacketsReordered: the packet that was sent first arrives later.
func TestFirstPacketsReordered(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		for seed := range uint64(50) {
			packets := packetize(codec, frames, uint16(seed*1311)-3, 0)
			random := rand.New(rand.NewPCG(seed, 5))
			head := packets[:6]
			random.Shuffle(len(head), func(i, j int) { head[i], head[j] = head[j], head[i] })
			got := reassemble(DefaultConfig(), packets)
			checkWhole(t, codec, frames, got)
			if got.lost != 0 || len(got.drops) != 0 {
				t.Fatalf("seed %d: lost %d, drops %v", seed, got.lost, got.drops)
			}
		}
	})
}

// TestJoinedMidway: what comes before the first start is not counted as lost, and does not hold the key frame back.
func TestJoinedMidway(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		packets := packetize(codec, frames, 100, 0)
		packets = packets[3:]
		got := reassemble(DefaultConfig(), packets)
		if got.lost != 0 || len(got.units) != len(frames)-keyInterval || !bytes.Equal(got.units[0].Data, frames[keyInterval].data) {
			t.Fatalf("%d units, lost %d, drops %v", len(got.units), got.lost, got.drops)
		}
	})
}

// TestMarkerMissing: the next timestamp ends a picture too.
func TestMarkerMissing(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		packets := packetize(codec, frames, 100, 0)
		for i := range packets[:len(packets)-1] {
			packets[i].marker = false
		}
		checkWhole(t, codec, frames, reassemble(DefaultConfig(), packets))
	})
}

// TestParameterSetsLost: a picture whose own parameter sets may have been lost is not decoded with old ones.
func TestParameterSetsLost(t *testing.T) {
	first := [][]byte{spsA, ppsA, idrA}
	lost := pictures(liveproof.CodecH264, 7, first, [][]byte{refP}, [][]byte{spsB, ppsA, idrA}, [][]byte{refP}, [][]byte{spsB, ppsA, idrA})
	for _, missing := range [][]int{{4}, {4, 5}, {3, 4, 5}} { // the sets of the second key frame
		var kept []packet
		for i, p := range lost {
			if !slices.Contains(missing, i) {
				kept = append(kept, p)
			}
		}
		last := kept[len(kept)-1]
		last.sequence, last.payload, last.arrived = last.sequence+1, nil, last.arrived.Add(time.Second)
		got := reassemble(DefaultConfig(), append(kept, last))
		end := len(got.units) - 1
		if end < 1 || !bytes.Equal(got.units[end].Data, annexBOf(spsB, ppsA, idrA)) || got.drops[dropIncomplete] != 1 {
			t.Fatalf("without %v: %+v", missing, got)
		}
		for _, u := range got.units[1:end] {
			if u.Key {
				t.Fatalf("without %v: %x is a key frame", missing, u.Data)
			}
		}
	}
}

// TestParameterSetsBeforeALoss: sets and a recovery point that came alone belong to the next picture, not to one after a loss.
func TestParameterSetsBeforeALoss(t *testing.T) {
	recovery := []byte{0x06, 0x06, 0x02, 0x0a, 0x44, 0x80}
	packets := pictures(liveproof.CodecH264, 7, [][]byte{spsA, ppsA, idrA}, [][]byte{spsA, ppsA, recovery}, [][]byte{refP}, [][]byte{refP}, [][]byte{refP})
	packets = append(packets[:6], packets[7:]...)
	packets[len(packets)-1].arrived = packets[0].arrived.Add(time.Second)
	got := reassemble(DefaultConfig(), packets)
	for i, u := range got.units {
		if u.Key != (i == 0) {
			t.Fatalf("unit %d: %x, key %v", i, u.Data, u.Key)
		}
	}
}

// TestParameterSetsInSDP: the sets that the offer names are put in front of the first picture.
func TestParameterSetsInSDP(t *testing.T) {
	fmtp := map[uint8]string{payloadType(liveproof.CodecH264): "packetization-mode=1;sprop-parameter-sets=Z0LAHtoCgPY=,aM4PyA=="}
	for name, payloads := range map[string][][]byte{"IDR": {idrA}, "SEI, IDR": {seiA, idrA}, "fragments": fuA(idrA, 2)} {
		t.Run(name, func(t *testing.T) {
			var units []liveproof.AccessUnit
			a := newAssembler(DefaultConfig(), testTypes, func(u liveproof.AccessUnit) { units = append(units, u) }, func(dropReason) {})
			a.fmtp = fmtp
			for _, p := range pictures(liveproof.CodecH264, 1, payloads, [][]byte{refP}, payloads) {
				a.push(p, p.sequence == 1)
			}
			if len(units) != 3 || !units[0].Key || !units[2].Key || !bytes.HasPrefix(units[0].Data, annexBOf(spsA, ppsA)) {
				t.Fatalf("%+v", units)
			}
		})
	}
}

// TestRecoveryPointsAreEntered: also by a stream that is joined there.
func TestRecoveryPointsAreEntered(t *testing.T) {
	exact, similar, broken := []byte{0x06, 0x06, 0x02, 0x0a, 0x44, 0x80}, []byte{0x06, 0x06, 0x02, 0x0a, 0x04, 0x80}, []byte{0x06, 0x06, 0x02, 0x0a, 0x64, 0x80}
	for name, c := range map[string]struct {
		sei []byte
		key bool
	}{"exact": {exact, true}, "similar": {similar, false}, "broken link": {broken, false}, "another message": {seiA, false}} {
		t.Run(name, func(t *testing.T) {
			got := reassemble(DefaultConfig(), pictures(liveproof.CodecH264, 5, [][]byte{refP}, [][]byte{spsA, ppsA, c.sei, refP, refP2}, [][]byte{refP}))
			if len(got.units) > 0 != c.key || c.key && !bytes.Equal(got.units[0].Data, annexBOf(spsA, ppsA, c.sei, refP, refP2)) {
				t.Fatalf("%+v", got)
			}
		})
	}
	if codecs.Find(liveproof.CodecH264).NewRecovery == nil {
		t.Fatal("nothing follows the recovery")
	}
}

// TestNoLossYieldsAnIncompleteH264Picture is TestNoLossYieldsAnIncompletePicture for senders that put each NAL unit into a
// packet of its own, messages first. A message may be lost; slices and parameter sets may not.
func TestNoLossYieldsAnIncompleteH264Picture(t *testing.T) {
	for name, options := range map[string]string{
		"SEI first":     "aud=1:slices=2:scenecut=0:keyint=10",
		"intra refresh": "aud=1:slices=3:scenecut=0:keyint=10:intra-refresh=1",
	} {
		t.Run(name, func(t *testing.T) {
			frames := seiFirst(t, options)
			delivered := 0
			for seed := range uint64(200) {
				random := rand.New(rand.NewPCG(seed, 6))
				rate := 0.01 + 0.1*random.Float64()
				packets := packetizeNALs(frames, uint16(random.Uint32()))
				if seed%2 == 1 {
					packets = shuffled(packets, 8, seed)
				}
				packets = slices.DeleteFunc(packets, func(packet) bool { return random.Float64() < rate })
				delivered += checkEssential(t, frames, reassemble(DefaultConfig(), packets))
			}
			if delivered < 500 {
				t.Fatalf("only %d pictures survived 200 lossy runs", delivered)
			}
		})
	}
}

// seiFirst encodes pictures and moves their messages to the front.
func seiFirst(t *testing.T, options string) [][][]byte {
	t.Helper()
	raw, err := runEncoder([]string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", options, "-f", "h264"})
	if err != nil {
		t.Fatal(err)
	}
	var frames [][][]byte
	for _, f := range splitAnnexB(t, raw) {
		nals := bytes.Split(f.data, []byte{0, 0, 0, 1})[1:]
		slices.SortStableFunc(nals, func(a, b []byte) int {
			return map[bool]int{true: 0, false: 1}[a[0]&0x1f == 6] - map[bool]int{true: 0, false: 1}[b[0]&0x1f == 6]
		})
		frames = append(frames, nals)
	}
	return frames
}

func packetizeNALs(frames [][][]byte, sequence uint16) (packets []packet) {
	var lists [][][]byte
	for _, nals := range frames {
		var payloads [][]byte
		for _, nal := range nals {
			if len(nal) > testMTU {
				payloads = append(payloads, fuA(nal, len(nal)/testMTU+1)...)
			} else {
				payloads = append(payloads, nal)
			}
		}
		lists = append(lists, payloads)
	}
	return pictures(liveproof.CodecH264, sequence, lists...)
}

// checkEssential wants units that hold all NAL units of a picture but messages, and gaps where pictures are missing.
func checkEssential(t *testing.T, frames [][][]byte, got reassembled) int {
	t.Helper()
	essential := func(nals [][]byte) []byte {
		return annexBOf(slices.DeleteFunc(slices.Clone(nals), func(n []byte) bool { return n[0]&0x1f == 6 })...)
	}
	first, previous := -1, -1
	for i, u := range got.units {
		data := essential(bytes.Split(u.Data, []byte{0, 0, 0, 1})[1:])
		if i == 0 {
			first = slices.IndexFunc(frames, func(nals [][]byte) bool { return bytes.Equal(essential(nals), data) })
		}
		n := first + pictureNumber(u.PTS)
		if first < 0 || n >= len(frames) || !bytes.Equal(data, essential(frames[n])) {
			t.Fatalf("unit %d is not the encoder's picture %d", i, n)
		}
		if i == 0 && !u.Key || i > 0 && n != previous+1 && !u.Gap || u.Key && n%10 != 0 {
			t.Fatalf("picture %d after %d: key %v, gap %v", n, previous, u.Key, u.Gap)
		}
		previous = n
	}
	return len(got.units)
}

// TestParameterSetsOfTheirOwnLost: sets with markers of their own, of which the first is lost.
func TestParameterSetsOfTheirOwnLost(t *testing.T) {
	packets := pictures(liveproof.CodecH264, 7, [][]byte{spsA, ppsA, idrA}, [][]byte{spsB}, [][]byte{ppsA}, [][]byte{idrA}, [][]byte{refP})
	packets = append(packets[:3], packets[4:]...)
	packets[len(packets)-1].arrived = packets[0].arrived.Add(time.Second)
	got := reassemble(DefaultConfig(), packets)
	for _, u := range got.units[1:] {
		if u.Key {
			t.Fatalf("%x is a key frame", u.Data)
		}
	}
	if got.drops[dropIncomplete] != 1 {
		t.Fatalf("%+v", got)
	}
}
