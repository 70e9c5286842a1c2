package injection

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// nal is a NAL unit behind a start code.
func nal(bytes ...byte) []byte { return append([]byte{0, 0, 0, 1}, bytes...) }

// userData is an SEI NAL unit with a user_data_unregistered message.
func userData(uuid []byte, text string) []byte {
	payload := append(slices.Clone(uuid), text...)
	return nal(append(append([]byte{6, 5, byte(len(payload))}, payload...), 0x80)...)
}

func TestEncoderNamesItself(t *testing.T) {
	for name, test := range map[string]struct {
		unit []byte
		want bool
	}{
		"x264":            {userData(x264UUID, "x264 - core 164"), true},
		"another encoder": {userData(make([]byte, 16), "x264 - core 164"), false},
		"cut off":         {userData(x264UUID[:9], ""), false},
		"no message":      {nal(1, 0x9a), false},
		"nothing":         {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var e encoder
			e.observe(&liveproof.AccessUnit{Codec: liveproof.CodecH264, Data: test.unit}, 0)
			require.Equal(t, test.want, e.x264)
		})
	}
}

func TestReordering(t *testing.T) {
	var e encoder
	// first_mb_in_slice 0 is the bit 1; slice_type is an Exp-Golomb code: 1 is P, 010 is B.
	for _, slice := range []byte{0b1_1_000000, 0b1_010_0000, 0b1_010_0000, 0b1_1_000000} {
		e.observe(&liveproof.AccessUnit{Codec: liveproof.CodecH264, Data: nal(1, slice, 0x80)}, 0)
	}
	require.InDelta(t, 0.5, e.reordered(), 1e-9)
}

func TestPeriodicKeyFrames(t *testing.T) {
	for name, test := range map[string]struct {
		keys  []int       // units that are key frames
		asked map[int]int // key frame requests before a unit
		want  bool
	}{
		"every 60 pictures, unasked": {[]int{0, 60, 120, 180}, nil, true},
		"too few to be a rule":       {[]int{0, 60, 120}, nil, false},
		"asked for":                  {[]int{0, 60, 120, 180}, map[int]int{59: 1, 119: 2, 179: 3}, false},
		"at cuts of the scene":       {[]int{0, 31, 120, 180}, nil, false},
		"one, as a browser does":     {[]int{0}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var e encoder
			requests := 0
			for i := range 200 {
				requests = max(requests, test.asked[i])
				e.observe(&liveproof.AccessUnit{Codec: liveproof.CodecVP8, Key: slices.Contains(test.keys, i)}, int64(requests))
			}
			require.Equal(t, test.want, e.periodic())
		})
	}
}

// FuzzEncoder: no bitstream makes it fail, and what it remembers stays bounded.
func FuzzEncoder(f *testing.F) {
	f.Add(userData(x264UUID, "x264"), true, 9)
	f.Add(nal(1, 0b1_010_0000), false, 200)
	f.Add([]byte{0, 0, 1, 6, 5, 255, 255, 255}, true, 3)
	f.Fuzz(func(t *testing.T, unit []byte, key bool, n int) {
		var e encoder
		for range min(max(n, 0), 300) {
			e.observe(&liveproof.AccessUnit{Codec: liveproof.CodecH264, Data: unit, Key: key}, 0)
		}
		require.LessOrEqual(t, len(e.intervals), gopKept)
		require.True(t, e.reordered() >= 0 && e.reordered() <= 1)
	})
}
