package rtc

import (
	"io"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestSmallestEnough(t *testing.T) {
	for _, r := range []struct {
		sides []int
		want  int
	}{
		{nil, -1}, {[]int{0}, 0}, {[]int{180, 360}, 1}, {[]int{360, 180}, 0}, {[]int{180, 480, 720}, 1}, {[]int{720, 1080, 360}, 0}, {[]int{1080, 720}, 1},
	} {
		require.Equal(t, r.want, SmallestEnough(r.sides), "%v", r.sides)
	}
}

// keyPicture is a key frame of VP8 that claims a size: payload descriptor, frame tag, start code, width and height (RFC 6386, 9.1).
func keyPicture(width, height int) []byte {
	return []byte{0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, byte(width), byte(width >> 8), byte(height), byte(height >> 8), 0, 0}
}

func newTestTrack(t testing.TB, largest int) (*Track, *int) {
	t.Helper()
	tracks, err := NewTracks(DefaultConfig(), nil)
	require.NoError(t, err)
	asked := 0
	return tracks.New(Stream{
		Codec: liveproof.CodecVP8, PayloadType: 96, RequestKeyFrame: func() { asked++ }, Largest: func() int { return largest },
	}), &asked
}

func send(t testing.TB, x *Track, number uint16, payload []byte) {
	t.Helper()
	raw, err := (&rtp.Packet{
		Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: number, Timestamp: uint32(number) * 3000, SSRC: 7, Marker: true}, Payload: payload,
	}).Marshal()
	require.NoError(t, err)
	require.NoError(t, x.Push(raw, time.Now()))
}

// TestAnotherSizeIsAnotherStream: an SFU does not say that it changed the layer, and a sender can put other pictures into each.
func TestAnotherSizeIsAnotherStream(t *testing.T) {
	x, asked := newTestTrack(t, 480)
	for i, r := range []struct {
		width, height, stream int
		gap, reduced          bool
	}{
		{640, 480, 1, false, false}, {640, 480, 1, false, false}, {320, 240, 2, true, true}, {640, 480, 3, true, false},
	} {
		send(t, x, uint16(10+i), keyPicture(r.width, r.height))
		u, err := x.Video().Next(t.Context())
		require.NoError(t, err)
		require.True(t, u.Key)
		require.Equal(t, r.stream, u.Stream)
		require.Equal(t, r.gap, u.Gap, "%d", i)
		require.Equal(t, r.reduced, x.Video().Reduced())
	}
	require.Zero(t, *asked)
	send(t, x, 20, []byte{0x10, 0x11, 0, 0, 1, 2, 3}) // 14 to 19 are lost
	send(t, x, 1000, []byte{0x10, 0x11, 0, 0, 1, 2, 3})
	require.Positive(t, *asked, "a key frame is needed")
	x.Close()
}

func TestFloodOfATrack(t *testing.T) {
	x, _ := newTestTrack(t, 0)
	var err error
	for range DefaultConfig().MaxPacketRate + 1 {
		require.NoError(t, err)
		err = x.Push([]byte{1}, time.Unix(1, 0))
	}
	require.ErrorIs(t, err, ErrFlood)
}

// TestTrackOfAnUnknownCodec: a conference server forwards whatever its participants send.
func TestTrackOfAnUnknownCodec(t *testing.T) {
	require.True(t, Known(liveproof.CodecH264))
	require.False(t, Known("H265"))
	tracks, err := NewTracks(DefaultConfig(), nil)
	require.NoError(t, err)
	x := tracks.New(Stream{Codec: "H265", PayloadType: 96, RequestKeyFrame: func() {}})
	for number := range uint16(20) {
		send(t, x, number, keyPicture(640, 480))
	}
	x.Close()
	_, err = x.Video().Next(t.Context())
	require.ErrorIs(t, err, io.EOF)
}

func FuzzTrackPush(f *testing.F) {
	raw, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, Marker: true}, Payload: keyPicture(640, 480)}).Marshal()
	require.NoError(f, err)
	f.Add(raw, raw)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		x, _ := newTestTrack(t, 0)
		for _, raw := range [][]byte{one, two} {
			require.NoError(t, x.Push(raw, time.Unix(1, 0)))
		}
		x.Close()
	})
}
