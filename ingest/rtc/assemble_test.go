package rtc

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
)

// checkWhole wants exactly the encoder's pictures.
func checkWhole(t *testing.T, codec liveproof.Codec, frames []frame, got reassembled) {
	t.Helper()
	if len(got.units) != len(frames) {
		t.Fatalf("%d access units from %d pictures, drops %v", len(got.units), len(frames), got.drops)
	}
	for i, u := range got.units {
		if !bytes.Equal(u.Data, frames[i].data) {
			t.Fatalf("picture %d: %d bytes differ from the encoder's %d", i, len(u.Data), len(frames[i].data))
		}
		pts := time.Duration(i) * frameTicks * time.Second / clockRate
		if u.Codec != codec || u.Key != frames[i].key || u.PTS != pts || u.Gap {
			t.Fatalf("picture %d: codec %s key %v pts %v gap %v", i, u.Codec, u.Key, u.PTS, u.Gap)
		}
	}
}

func TestReassembleInOrder(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		if len(frames) != streamFrames {
			t.Fatalf("encoder made %d pictures", len(frames))
		}
		packets := packetize(codec, frames, 1000, 5)
		if len(packets) < 2*len(frames) {
			t.Fatalf("only %d packets for %d pictures", len(packets), len(frames))
		}
		checkWhole(t, codec, frames, reassemble(DefaultConfig(), packets))
	})
}

func TestReassembleWrapsSequenceAndTimestamp(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		checkWhole(t, codec, frames, reassemble(DefaultConfig(), packetize(codec, frames, 65530, 0xffffffff-10*frameTicks)))
	})
}

func TestReassembleWithoutMarkers(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		packets := packetize(codec, frames, 0, 0)
		for i := range packets {
			packets[i].marker = false
		}
		// The last picture is proven whole only by a next one.
		checkWhole(t, codec, frames[:len(frames)-1], reassemble(DefaultConfig(), packets))
	})
}

func TestReassembleAnyOrderWithinTheWindow(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		for seed := range uint64(50) {
			packets := shuffled(packetize(codec, frames, uint16(seed*1311), uint32(seed)), 20, seed)
			checkWhole(t, codec, frames, reassemble(DefaultConfig(), packets))
		}
	})
}

// TestLongReorderingLosesNothing: for longer than reorder_time some packet is
// always missing, but each only for 30 ms.
func TestLongReorderingLosesNothing(t *testing.T) {
	var got []uint16
	cfg := DefaultConfig()
	r := newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, func(p packet, gap bool) {
		if gap {
			t.Errorf("a gap before packet %d", p.sequence)
		}
		got = append(got, p.sequence)
	})
	arrival := []uint16{0, 2}
	for n := uint16(4); n < 200; n += 2 {
		arrival = append(arrival, n, n-3)
	}
	for i, sequence := range arrival {
		r.push(packet{sequence: sequence, arrived: time.Unix(0, 0).Add(time.Duration(i) * 10 * time.Millisecond)})
	}
	if len(got) < 190 || r.lost > 0 {
		t.Fatalf("%d of %d packets, %d given up", len(got), len(arrival), r.lost)
	}
}

// shuffled moves packets by fewer than window places; the first stays first,
// for it defines where the stream begins. Packets arrive one a millisecond.
func shuffled(packets []packet, window int, seed uint64) []packet {
	random := rand.New(rand.NewPCG(seed, 1))
	keys := make([]float64, len(packets))
	order := make([]int, len(packets))
	for i := range packets {
		order[i], keys[i] = i, float64(i)+random.Float64()*float64(window)
	}
	keys[0] = -1
	slices.SortFunc(order, func(a, b int) int {
		if keys[a] < keys[b] {
			return -1
		}
		return 1
	})
	out := make([]packet, len(packets))
	for i, from := range order {
		out[i] = packets[from]
		out[i].arrived = packets[0].arrived.Add(time.Duration(i) * time.Millisecond)
	}
	return out
}

func TestReassembleDuplicates(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		var twice []packet
		for _, p := range packetize(codec, frames, 7, 7) {
			twice = append(twice, p, p)
		}
		got := reassemble(DefaultConfig(), twice)
		checkWhole(t, codec, frames, got)
		if got.drops[dropLate]+got.drops[dropDuplicate] != len(twice)/2 {
			t.Fatalf("drops %v, want %d duplicates counted", got.drops, len(twice)/2)
		}
	})
}

// TestNoLossYieldsAnIncompletePicture is row 9 of the bad input: whatever is
// lost, every unit is a whole picture of the encoder's, and one that follows a
// lost picture says so.
func TestNoLossYieldsAnIncompletePicture(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		delivered := 0
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 2))
			rate := 0.01 + 0.2*random.Float64()
			packets := packetize(codec, frames, uint16(random.Uint32()), 0)
			if seed%2 == 1 {
				packets = shuffled(packets, 8, seed)
			}
			kept := slices.DeleteFunc(packets, func(packet) bool { return random.Float64() < rate })
			delivered += checkLossy(t, frames, reassemble(DefaultConfig(), kept))
		}
		if delivered < 200 {
			t.Fatalf("only %d pictures survived 200 lossy runs", delivered)
		}
	})
}

func pictureNumber(pts time.Duration) int {
	return int((pts + time.Millisecond) / (frameTicks * time.Second / clockRate))
}

func checkLossy(t *testing.T, frames []frame, got reassembled) int {
	t.Helper()
	if len(got.units) == 0 {
		return 0
	}
	first := slices.IndexFunc(frames, func(f frame) bool { return bytes.Equal(f.data, got.units[0].Data) })
	previous := -1
	for i, u := range got.units {
		n := first + pictureNumber(u.PTS)
		if n >= len(frames) || !bytes.Equal(u.Data, frames[n].data) || u.Key != frames[n].key {
			t.Fatalf("unit %d is not the encoder's picture %d", i, n)
		}
		if i == 0 && !u.Key {
			t.Fatal("the first unit is not a key frame")
		}
		if i > 0 && n != previous+1 && !u.Gap {
			t.Fatalf("picture %d follows %d without a gap", n, previous)
		}
		previous = n
	}
	return len(got.units)
}

// TestEverySinglePacketLost loses each packet once: exactly the pictures that
// can be affected are missing.
func TestEverySinglePacketLost(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		frames = frames[:6]
		packets := packetize(codec, frames, 0, 0)
		// Packets behind the gap that push it out of the window.
		tail := packetize(codec, encodedStream(t, codec)[keyInterval:], uint16(len(packets)), 6*frameTicks)
		for missing := 1; missing < len(packets); missing++ {
			kept := slices.Delete(slices.Clone(packets), missing, missing+1)
			got := reassemble(DefaultConfig(), append(kept, tail...))
			damaged := int(packets[missing].timestamp / frameTicks)
			for i, u := range got.units {
				if n := pictureNumber(u.PTS); n == damaged && damaged != 0 {
					t.Fatalf("packet %d of picture %d is missing, and unit %d holds it", missing, damaged, i)
				}
			}
			if got.lost != 1 || got.drops[dropIncomplete] == 0 && got.drops[dropNoKey] == 0 {
				// A picture of one packet vanishes without a rest to drop.
				if got.lost != 1 || !wholePicture(packets, missing) {
					t.Fatalf("packet %d: lost %d drops %v", missing, got.lost, got.drops)
				}
			}
		}
	})
}

func wholePicture(packets []packet, i int) bool {
	return (i == 0 || packets[i-1].timestamp != packets[i].timestamp) &&
		(i == len(packets)-1 || packets[i+1].timestamp != packets[i].timestamp)
}

func TestReorderTimeBoundsTheWait(t *testing.T) {
	var delivered []uint16
	r := newReorderBuffer(64, 100*time.Millisecond, func(p packet, _ bool) { delivered = append(delivered, p.sequence) })
	at := func(ms int) time.Time { return time.Unix(0, int64(ms)*int64(time.Millisecond)) }
	r.push(packet{sequence: 1, arrived: at(0)})
	r.push(packet{sequence: 3, arrived: at(10)})
	r.push(packet{sequence: 4, arrived: at(109)})
	if !slices.Equal(delivered, []uint16{1}) {
		t.Fatalf("delivered %v before the time was up", delivered)
	}
	r.push(packet{sequence: 5, arrived: at(110)})
	if !slices.Equal(delivered, []uint16{1, 3, 4, 5}) || r.lost != 1 {
		t.Fatalf("delivered %v, lost %d", delivered, r.lost)
	}
	if reason := r.push(packet{sequence: 2, arrived: at(111)}); reason != dropLate {
		t.Fatalf("late packet: %q", reason)
	}
}

func TestReorderFollowsARestartOfTheSequence(t *testing.T) {
	var delivered []uint16
	r := newReorderBuffer(64, time.Second, func(p packet, _ bool) { delivered = append(delivered, p.sequence) })
	for _, s := range []uint16{100, 101, 30000, 102, 40000, 40001, 40002} {
		r.push(packet{sequence: s, arrived: time.Unix(1, 0)})
	}
	if !slices.Equal(delivered, []uint16{100, 101, 102, 40001, 40002}) {
		t.Fatalf("delivered %v", delivered)
	}
}

func TestCodecSwitchMidStream(t *testing.T) {
	first, second := encodedStream(t, liveproof.CodecVP8), encodedStream(t, liveproof.CodecH264)
	a := packetize(liveproof.CodecVP8, first[:5], 10, 0)
	b := packetize(liveproof.CodecH264, second, uint16(10+len(a)), 5*frameTicks)
	got := reassemble(DefaultConfig(), append(a, b...))
	if len(got.units) != 5+len(second) {
		t.Fatalf("%d units, drops %v", len(got.units), got.drops)
	}
	if u := got.units[5]; u.Codec != liveproof.CodecH264 || !u.Key || u.Gap {
		t.Fatalf("first unit of the new codec: %s key %v gap %v", u.Codec, u.Key, u.Gap)
	}
	// Into the middle of the other stream: nothing before its next key frame.
	b = packetize(liveproof.CodecH264, second[3:], uint16(10+len(a)), 5*frameTicks)
	got = reassemble(DefaultConfig(), append(a, b...))
	if u := got.units[5]; u.Codec != liveproof.CodecH264 || !u.Key || !u.Gap || len(got.units) != 5+len(second)-keyInterval {
		t.Fatalf("%d units; first of the new codec: %s key %v gap %v", len(got.units), u.Codec, u.Key, u.Gap)
	}
}

// TestTwoCodecsInOnePicture: they are no picture of either.
func TestTwoCodecsInOnePicture(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	packets := packetize(liveproof.CodecVP8, frames, 0, 0)
	second := slices.IndexFunc(packets, func(p packet) bool { return p.timestamp == frameTicks })
	packets[second+1].payloadType = payloadType(liveproof.CodecH264)
	packets[second+1].payload = []byte{0x61, 1, 2, 3}
	got := reassemble(DefaultConfig(), packets)
	if len(got.units) != len(frames)-1 || got.drops[dropMalformed] != 1 || !got.units[1].Gap {
		t.Fatalf("%d units, drops %v", len(got.units), got.drops)
	}
}

func TestPicturesAboveTheCaps(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	packets := packetize(liveproof.CodecVP8, frames, 0, 0)
	cfg := DefaultConfig()
	cfg.MaxUnitBytes = len(frames[keyInterval].data) - 1 // both key frames, and nothing else, are larger
	cfg.MaxUnitBytes = min(cfg.MaxUnitBytes, len(frames[0].data)-1)
	if got := reassemble(cfg, packets); len(got.units) != 0 || got.drops[dropTooLarge] < 2 {
		t.Fatalf("bytes: %d units, drops %v", len(got.units), got.drops)
	}
	cfg = DefaultConfig()
	cfg.MaxUnitPackets = 2
	if got := reassemble(cfg, packets); len(got.units) != 0 || got.drops[dropTooLarge] < 2 {
		t.Fatalf("packets: %d units, drops %v", len(got.units), got.drops)
	}
}

func TestTimestampsArePassedOnAsTheyAre(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)[:4]
	packets := packetize(liveproof.CodecVP8, frames, 0, 0)
	moved := map[uint32]uint32{0: 9000, frameTicks: 9000, 2 * frameTicks: 4500, 3 * frameTicks: 4500 + 1<<31}
	for i := range packets {
		packets[i].timestamp = moved[packets[i].timestamp]
	}
	got := reassemble(DefaultConfig(), packets)
	want := []time.Duration{0, 0, -50 * time.Millisecond}
	if len(got.units) != 4 {
		t.Fatalf("%d units, drops %v", len(got.units), got.drops)
	}
	for i, pts := range want {
		if got.units[i].PTS != pts {
			t.Errorf("unit %d at %v, want %v", i, got.units[i].PTS, pts)
		}
	}
}

// TestClockNeverOverflows: however a sender's timestamps jump, time stays in bounds and advances again as soon as
// they do.
func TestClockNeverOverflows(t *testing.T) {
	const bound = 51 * 365 * 24 * time.Hour
	for _, jump := range []uint32{1 << 30, 1<<31 - 1, 1 << 31, 1<<31 + 1, 3 << 30} {
		var c clock
		at := c.time(0)
		stamp := uint32(0)
		for range 1_000_000 {
			if at = c.time(stamp); at > bound || at < -bound {
				t.Fatalf("jumps of %d: %v", jump, at)
			}
			stamp += jump
		}
		for i := range time.Duration(30) {
			stamp += frameTicks
			now := c.time(stamp)
			if d := now - at; i > 0 && d != frameTicks*time.Second/clockRate && d != frameTicks*time.Second/clockRate+1 {
				t.Fatalf("after jumps of %d a picture advances time by %v", jump, d)
			}
			at = now
		}
	}
}

func TestRotationStaysUntilItChanges(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)[:5]
	packets := packetize(liveproof.CodecVP8, frames, 0, 0)
	for i, p := range packets {
		if p.marker && p.timestamp == 1*frameTicks {
			packets[i].rotation = 90
		}
		if p.marker && p.timestamp == 3*frameTicks {
			packets[i].rotation, packets[i].mirrored = 270, true
		}
	}
	for i, u := range reassemble(DefaultConfig(), packets).units {
		if want := []int{0, 90, 90, 270, 270}[i]; u.Rotation != want {
			t.Errorf("unit %d turned by %d, want %d", i, u.Rotation, want)
		}
		if want := i >= 3; u.Mirrored != want {
			t.Errorf("unit %d mirrored: %v, want %v", i, u.Mirrored, want)
		}
	}
}

func TestPaddingAndUnknownTypesAreNoPictures(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	var packets []packet
	sequence := uint16(0)
	for _, p := range packetize(liveproof.CodecVP8, frames, 0, 0) {
		p.sequence = sequence
		packets = append(packets, p)
		sequence++
		if p.marker {
			packets = append(packets, packet{sequence: sequence, timestamp: p.timestamp, payloadType: 96, rotation: noRotation, arrived: p.arrived},
				packet{sequence: sequence + 1, timestamp: p.timestamp, payloadType: 13, rotation: noRotation, payload: []byte{1}, arrived: p.arrived})
			sequence += 2
		}
	}
	got := reassemble(DefaultConfig(), packets)
	checkWhole(t, liveproof.CodecVP8, frames, got)
	if got.drops[dropUnknown] != len(frames) {
		t.Fatalf("drops %v", got.drops)
	}
}
