package media

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestStreamH264ParameterSetsSentOnce: a loss reopens the decoder, and the next
// IDR picture comes without the parameter sets.
func TestStreamH264ParameterSetsSentOnce(t *testing.T) {
	clip := encode(t, liveproof.CodecH264, noisy("160x128", 3))
	sets, idr := cutParameterSets(clip[0].Data)
	require.NotEmpty(t, sets)
	bare := clip[0]
	bare.Data, bare.Gap = idr, true
	alone := clip[0]
	alone.Data, alone.Key = sets, false

	for name, units := range map[string][]liveproof.AccessUnit{
		"with the first picture":       {clip[0], clip[1], bare, clip[1]},
		"in an access unit of its own": {alone, bare, clip[1], alone, bare, clip[1]},
	} {
		t.Run(name, func(t *testing.T) {
			all, counts, _, err := play(t, units)
			require.NoError(t, err)
			require.Equal(t, 4, len(all))
			require.Zero(t, counts.TotalDropped())
			require.Equal(t, all[1].digest, all[3].digest)
		})
	}
}

// cutParameterSets takes the parameter sets out of an access unit.
func cutParameterSets(data []byte) (sets, rest []byte) {
	for _, nal := range bytes.Split(data, []byte{0, 0, 1})[1:] {
		nal = append([]byte{0, 0, 0, 1}, bytes.TrimRight(nal, "\x00")...)
		if kind := nal[4] & 0x1f; kind == 7 || kind == 8 {
			sets = append(sets, nal...)
		} else {
			rest = append(rest, nal...)
		}
	}
	return sets, rest
}

// TestStreamAV1WithoutTemporalDelimiters: RTP leaves them out (AV1 RTP payload format, section 5).
func TestStreamAV1WithoutTemporalDelimiters(t *testing.T) {
	clip := encode(t, liveproof.CodecAV1, noisy("160x128", 4))
	for i := range clip {
		require.True(t, bytes.HasPrefix(clip[i].Data, []byte{0x12, 0x00}))
		clip[i].Data = clip[i].Data[2:]
	}
	all, counts, _, err := play(t, clip)
	require.NoError(t, err)
	require.Equal(t, 4, len(all))
	require.Zero(t, counts.TotalDropped())
}

// TestStreamEmptyUnitIsALoss: an empty unit is not a repeated picture.
func TestStreamEmptyUnitIsALoss(t *testing.T) {
	eachCodec(t, "64x48", 3, func(t *testing.T, clip []liveproof.AccessUnit) {
		clip[1].Data = nil
		all, counts, src, err := play(t, append(clip, clip[0]))
		require.NoError(t, err)
		require.Equal(t, 2, len(all))
		require.Equal(t, map[DropReason]int64{DropDecodeError: 1, DropAwaitKeyFrame: 1}, counts.Dropped)
		require.Equal(t, []int{2}, src.requests)
	})
}

// TestStreamUnitWithoutItsPictureIsALoss: an AV1 temporal unit that lost its
// frame is well-formed and decodes to no picture; the units after it refer to
// that frame.
func TestStreamUnitWithoutItsPictureIsALoss(t *testing.T) {
	clip := encode(t, liveproof.CodecAV1, noisy("64x48", 3))
	clip[1].Data = clip[1].Data[:2] // the temporal delimiter alone
	all, counts, src, err := play(t, append(clip, clip[0]))
	require.NoError(t, err)
	require.Equal(t, 2, len(all))
	require.Equal(t, map[DropReason]int64{DropDecodeError: 1, DropAwaitKeyFrame: 1}, counts.Dropped)
	require.Equal(t, []int{2}, src.requests)
}
