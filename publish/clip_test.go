package publish

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// units at these times in milliseconds.
func units(at ...int) (all []liveproof.AccessUnit) {
	for _, ms := range at {
		all = append(all, liveproof.AccessUnit{PTS: time.Duration(ms) * time.Millisecond, Data: []byte{byte(len(all))}})
	}
	return all
}

func TestNewClipRefuses(t *testing.T) {
	for says, c := range map[string]struct {
		codec liveproof.Codec
		units []liveproof.AccessUnit
	}{
		"VP8 or H264 is needed":    {liveproof.CodecAV1, units(0)},
		"without a picture":        {liveproof.CodecVP8, nil},
		"picture 1 is empty":       {liveproof.CodecVP8, []liveproof.AccessUnit{units(0)[0], {PTS: time.Second}}},
		"picture 2 at 10ms is not": {liveproof.CodecH264, units(0, 10, 10)},
		"picture 0 at -1ms is not": {liveproof.CodecH264, units(-1)},
	} {
		_, err := NewClip(c.codec, c.units)
		require.ErrorContains(t, err, says)
	}
	clip, err := NewClip(liveproof.CodecH264, units(500, 540, 1500))
	require.NoError(t, err)
	require.Equal(t, time.Second+lastLength, clip.Duration())
	require.Equal(t, 3, clip.Frames())
	require.Equal(t, "video/H264", clip.mimeType())
}

// recorder keeps what is written, and may be slow.
type recorder struct {
	begun  time.Time
	slow   map[int]time.Duration
	at     []time.Duration
	length []time.Duration
	fails  error
}

func (r *recorder) WriteSample(s media.Sample) error {
	r.at = append(r.at, time.Since(r.begun))
	r.length = append(r.length, s.Duration)
	time.Sleep(r.slow[len(r.at)-1])
	return r.fails
}

// TestPaceFollowsTheTimes of the pictures, at a varying rate; a late picture delays none after the next one, and lengths add up to the times.
func TestPaceFollowsTheTimes(t *testing.T) {
	times := []int{1000, 1033, 1100, 1300, 1310, 1600, 1650}
	clip, err := NewClip(liveproof.CodecVP8, units(times...))
	require.NoError(t, err)
	r := &recorder{begun: time.Now(), slow: map[int]time.Duration{2: 250 * time.Millisecond}}
	var counted []int
	require.NoError(t, clip.send(t.Context(), r, func(n int) { counted = append(counted, n) }))
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7}, counted)
	require.GreaterOrEqual(t, time.Since(r.begun), 650*time.Millisecond+lastLength, "until the last one has been shown")
	var sum time.Duration
	for i, ms := range times {
		due := time.Duration(ms-1000) * time.Millisecond
		require.Equal(t, due, sum, "RTP time of picture %d", i)
		sum += r.length[i]
		require.GreaterOrEqual(t, r.at[i]+time.Millisecond, due, "never early")
	}
	require.GreaterOrEqual(t, r.at[4], 350*time.Millisecond, "late, because writing picture 2 took so long")
	require.Less(t, r.at[5], 600*time.Millisecond+250*time.Millisecond, "in time again")
}

func TestSendingEnds(t *testing.T) {
	clip, err := NewClip(liveproof.CodecVP8, units(0, 3_600_000))
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	require.ErrorIs(t, clip.send(ctx, &recorder{}, func(int) {}), why)
	broken := errors.New("no network")
	require.ErrorIs(t, clip.send(t.Context(), &recorder{fails: broken}, func(int) {}), broken)
}
