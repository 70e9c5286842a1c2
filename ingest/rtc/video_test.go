package rtc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liveproof/liveproof"
)

func testVideo(t *testing.T, units, bytes int, pli func()) *Video {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.QueueUnits, cfg.QueueBytes = units, bytes
	return newVideo(cfg, m, pli)
}

func accessUnit(n int, key bool, size int) liveproof.AccessUnit {
	return liveproof.AccessUnit{PTS: time.Duration(n), Key: key, Data: make([]byte, size)}
}

// TestOverflowDropsUntilTheNextKeyFrame: newest wins, and nothing is given out that refers to what was dropped.
func TestOverflowDropsUntilTheNextKeyFrame(t *testing.T) {
	for name, c := range map[string]struct{ units, bytes, size int }{
		"units": {3, 1 << 20, 1},
		"bytes": {100, 300, 100},
	} {
		t.Run(name, func(t *testing.T) {
			v := testVideo(t, c.units, c.bytes, func() {})
			v.push(accessUnit(0, true, c.size))
			for i := 1; i < 6; i++ { // the fourth overflows
				v.push(accessUnit(i, false, c.size))
			}
			if !v.needsKeyFrame() {
				t.Fatal("no key frame is asked for")
			}
			v.push(accessUnit(6, true, c.size))
			v.push(accessUnit(7, false, c.size))
			a, b := next(t, v), next(t, v)
			if a.PTS != 6 || !a.Key || !a.Gap || b.PTS != 7 || b.Gap || v.needsKeyFrame() {
				t.Fatalf("%+v, then %+v", a, b)
			}
			if s := v.Stats(); s.Dropped["overflow"] != 4 || s.Dropped["no_keyframe"] != 2 || s.AccessUnits != 8 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestOverflowByAKeyFrameStartsAgainWithIt(t *testing.T) {
	v := testVideo(t, 2, 1<<20, func() {})
	v.push(accessUnit(0, true, 1))
	v.push(accessUnit(1, false, 1))
	v.push(accessUnit(2, true, 1))
	if u := next(t, v); u.PTS != 2 || !u.Gap {
		t.Fatalf("%+v", u)
	}
}

func TestNextEnds(t *testing.T) {
	v := testVideo(t, 2, 1<<20, func() {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	v.push(accessUnit(0, true, 1))
	v.close()
	next(t, v) // what is queued can be read
	for range 2 {
		if _, err := v.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	v.push(accessUnit(1, true, 1))
	if _, err := v.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

func TestKeyFrameRequestsAreThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		v := testVideo(t, 2, 1<<20, func() { sent++ })
		for range 100 { // 10 s
			v.RequestKeyFrame()
			v.RequestKeyFrame()
			time.Sleep(100 * time.Millisecond)
		}
		if sent != 20 || v.Stats().PLISent != 20 {
			t.Fatalf("%d requests in 10 s, want one each 500 ms", sent)
		}
		v.close()
		v.RequestKeyFrame()
		if sent != 20 {
			t.Fatal("a request after the end")
		}
	})
}

// TestUnitIsValidUntilTheNextOne: packets that arrive while a unit is in use do
// not change its memory; after that the memory is reused.
func TestUnitIsValidUntilTheNextOne(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		v := testVideo(t, 2*streamFrames, 1<<20, func() {})
		a := newAssembler(DefaultConfig(), testTypes, v.push, v.drop)
		a.recycle = v.spare
		r := newReorderBuffer(64, time.Second, a.push)
		packets := packetize(codec, frames, 0, 0)
		memory, repeated := map[*byte]bool{}, false
		for len(packets) > 0 {
			r.push(packets[0])
			packets = packets[1:]
			u, ok, _ := v.pop()
			if !ok {
				continue
			}
			before := bytes.Clone(u.Data)
			for range min(10, len(packets)) {
				r.push(packets[0])
				packets = packets[1:]
			}
			if !bytes.Equal(u.Data, before) {
				t.Fatal("a unit in use was written to")
			}
			repeated = repeated || memory[&u.Data[0]]
			memory[&u.Data[0]] = true
		}
		if !repeated || len(v.free) > maxFree {
			t.Errorf("memory used again: %v, %d buffers kept", repeated, len(v.free))
		}
	})
}

// TestLargeBuffersAreNotKept: a session must not hold on to the memory of its largest pictures.
func TestLargeBuffersAreNotKept(t *testing.T) {
	v := testVideo(t, 10, 4<<20, func() {})
	for _, size := range []int{maxFreeBytes, maxFreeBytes + 1} {
		v.push(accessUnit(0, true, size))
		next(t, v)
	}
	v.push(accessUnit(0, true, 1))
	next(t, v)
	if len(v.free) != 1 || cap(v.free[0]) != maxFreeBytes {
		t.Fatalf("%d buffers kept", len(v.free))
	}
}
