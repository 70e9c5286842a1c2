package media

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// layered are streams in which every second picture is one that no other
// refers to: an upper temporal layer, or H.264's B pictures. Their timestamps
// follow the order in which they are sent.
var layered = map[liveproof.Codec][]string{
	liveproof.CodecVP8: {
		"-error-resilient", "default", "-ts-parameters",
		"ts_number_layers=2:ts_target_bitrate=600,1000:ts_rate_decimator=2,1:ts_periodicity=2:ts_layer_id=0,1:ts_layering_mode=2",
	},
	liveproof.CodecH264: {"-profile:v", "main", "-x264-params", "aud=1:scenecut=0:bframes=1:b-adapt=0:b-pyramid=none:rc-lookahead=2"},
}

// eachLayered gives a stream with its pictures of the upper layer marked.
func eachLayered(t *testing.T, test func(t *testing.T, clip []liveproof.AccessUnit)) {
	for codec, options := range layered {
		t.Run(string(codec), func(t *testing.T) {
			clip := encode(t, codec, noisy("160x128", 41), options...)
			for i := range clip {
				clip[i].Discardable = clip[i].Codec == liveproof.CodecVP8 && i%2 == 1 ||
					clip[i].Codec == liveproof.CodecH264 && i > 0 && i%2 == 0
			}
			test(t, clip)
		})
	}
}

// TestStreamLeavesOutWhatIsNotNeeded: half of the pictures are not decoded, and
// the others are bit for bit the same as without leaving any out.
func TestStreamLeavesOutWhatIsNotNeeded(t *testing.T) {
	eachLayered(t, func(t *testing.T, clip []liveproof.AccessUnit) {
		cfg := DefaultConfig()
		cfg.MinPictureRate = 0
		whole, counts, _, err := playWith(t, cfg, clip)
		require.NoError(t, err)
		require.Zero(t, counts.Skipped)
		require.Len(t, whole, len(clip))

		part, counts, src, err := play(t, clip)
		require.NoError(t, err)
		require.Equal(t, Counts{Received: 41, Decoded: 21, Skipped: 20}, counts)
		require.Empty(t, src.requests)
		at := map[time.Duration]shown{}
		for _, s := range whole {
			at[s.at] = s
		}
		for _, s := range part {
			require.Equal(t, at[s.at].rgb, s.rgb, s.at)
			require.Equal(t, at[s.at].digest, s.digest, s.at)
		}
	})
}

// TestStreamKeepsItsRate: nothing is left out where that would leave too few pictures.
func TestStreamKeepsItsRate(t *testing.T) {
	eachLayered(t, func(t *testing.T, clip []liveproof.AccessUnit) {
		for _, c := range []struct {
			name    string
			rate    float64 // pictures a second that are sent
			skipped int64
		}{{"15 a second", 15, 0}, {"25 a second", 25, 0}, {"30 a second", 30, 20}, {"60 a second", 60, 20}} {
			t.Run(c.name, func(t *testing.T) {
				for i := range clip {
					clip[i].PTS = time.Duration(float64(i) / c.rate * float64(time.Second))
				}
				_, counts, _, err := play(t, clip)
				require.NoError(t, err)
				require.Equal(t, c.skipped, counts.Skipped)
				require.Equal(t, counts.Received, counts.Decoded+counts.Skipped)
			})
		}
	})
}

// TestStreamKeepsOrderAfterAStepBack: a picture that is shown before the last
// decoded one is not left out, for its neighbours are not known.
func TestStreamKeepsOrderAfterAStepBack(t *testing.T) {
	eachLayered(t, func(t *testing.T, clip []liveproof.AccessUnit) {
		for i := range clip {
			clip[i].PTS = -clip[i].PTS
		}
		_, counts, _, err := play(t, clip)
		require.NoError(t, err)
		require.Zero(t, counts.Skipped)
	})
}

// TestStreamLossWhileLeavingOut: after a loss, all access units before the next key
// frame count as dropped, none as skipped.
func TestStreamLossWhileLeavingOut(t *testing.T) {
	eachLayered(t, func(t *testing.T, clip []liveproof.AccessUnit) {
		clip[21].Gap, clip[22].Gap = true, true
		_, counts, src, err := play(t, clip[:25])
		require.NoError(t, err)
		require.Equal(t, int64(10), counts.Skipped)
		require.Equal(t, map[DropReason]int64{DropAwaitKeyFrame: 4}, counts.Dropped)
		require.NotEmpty(t, src.requests)
	})
}

// TestStreamOfDiscardablePictures: a sender that marks every picture as discardable still gets MinPictureRate.
func TestStreamOfDiscardablePictures(t *testing.T) {
	clip := encode(t, liveproof.CodecVP8, noisy("160x128", 41))
	for i := range clip {
		clip[i].Discardable = true
	}
	_, counts, _, err := play(t, clip)
	require.NoError(t, err)
	require.Equal(t, int64(21), counts.Decoded)
	require.Equal(t, int64(20), counts.Skipped)
}
