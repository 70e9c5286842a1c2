package media

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestStreamOfSeveral: pictures carry the number of the sender's stream that they came from, and
// nothing is decoded from one stream into the next.
func TestStreamOfSeveral(t *testing.T) {
	eachCodec(t, "160x128", 4, func(t *testing.T, units []liveproof.AccessUnit) {
		for i := range units {
			units[i].Stream = 1
		}
		for _, u := range encode(t, units[0].Codec, noisy("320x240", 4))[1:] { // its key frame is lost
			u.Stream = 2
			units = append(units, u)
		}
		for _, u := range encode(t, units[0].Codec, noisy("320x240", 4)) {
			u.Stream = 3
			units = append(units, u)
		}
		src := &simulcast{script: script{units: units}}
		s, err := NewStream(DefaultConfig(), src)
		require.NoError(t, err)
		defer s.Close()
		var streams []int
		for {
			p, err := s.Next(context.Background())
			if err != nil {
				break
			}
			width, _ := p.Size()
			stream := p.(liveproof.StreamedPicture).Stream()
			require.Equal(t, map[int]int{1: 160, 3: 320}[stream], width)
			streams = append(streams, stream)
			p.Release()
		}
		require.Equal(t, []int{1, 1, 1, 1, 3, 3, 3, 3}, streams)
		require.Equal(t, []int{5}, src.requests)
		require.Equal(t, int64(3), s.Counts().Dropped[DropAwaitKeyFrame])
	})
}

type simulcast struct {
	script
	larger, finer atomic.Int64
}

func (l *simulcast) PreferLarger() { l.larger.Add(1) }
func (l *simulcast) PreferFiner()  { l.finer.Add(1) }
func (l *simulcast) Reduced() bool { return l.larger.Load() == 0 }

// TestStreamAsksForBetterPictures, larger or finer ones, where the source has them.
func TestStreamAsksForBetterPictures(t *testing.T) {
	src := &simulcast{}
	s, err := NewStream(DefaultConfig(), src)
	require.NoError(t, err)
	defer s.Close()
	require.True(t, s.Reduced())
	s.PreferLarger()
	require.Equal(t, int64(1), src.larger.Load())
	require.False(t, s.Reduced())
	require.Zero(t, src.finer.Load())
	s.PreferFiner()
	require.Equal(t, int64(1), src.finer.Load())

	alone, err := NewStream(DefaultConfig(), &script{})
	require.NoError(t, err)
	defer alone.Close()
	alone.PreferLarger()
	require.False(t, alone.Reduced())
	alone.PreferFiner()
}
