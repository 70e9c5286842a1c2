package media

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

func TestClaimedSize(t *testing.T) {
	for _, c := range []struct {
		codec         liveproof.Codec
		size          string
		args          []string
		width, height int
	}{
		{liveproof.CodecVP8, "98x66", nil, 98, 66},
		{liveproof.CodecVP9, "98x66", nil, 98, 66},
		{liveproof.CodecVP9, "98x66", []string{"-pix_fmt", "yuv444p"}, 98, 66},
		{liveproof.CodecVP9, "98x66", []string{"-pix_fmt", "yuv420p10le"}, 98, 66},
		{liveproof.CodecVP9, "98x66", []string{"-pix_fmt", "gbrp"}, 98, 66},
		// H.264: whole macroblocks, the height less the most that can be cropped.
		{liveproof.CodecH264, "98x66", nil, 112, 65},
		{liveproof.CodecH264, "1920x1080", nil, 1920, 1073},
		{liveproof.CodecH264, "98x66", []string{"-profile:v", "high", "-x264-params", "cqm=jvt:aud=1"}, 112, 65},
		{liveproof.CodecH264, "98x66", []string{"-profile:v", "high444", "-pix_fmt", "yuv444p", "-x264-params", "cqm=jvt:aud=1"}, 112, 65},
		{liveproof.CodecH264, "98x64", []string{"-profile:v", "main", "-preset", "medium", "-x264-params", "interlaced=1:aud=1"}, 112, 49},
	} {
		t.Run(fmt.Sprint(c.codec, c.size, c.args), func(t *testing.T) {
			name := "clip.ivf"
			if c.codec == liveproof.CodecH264 {
				name = "clip.h264"
			}
			args := append(append(noisy(c.size, 1), encoders[c.codec]...), c.args...)
			data, err := os.ReadFile(ffmpeg(t, name, args...))
			require.NoError(t, err)
			if c.codec != liveproof.CodecH264 {
				data = splitIVF(t, data)[0]
			}
			w, h, ok := codecs.Find(c.codec).Size(data)
			require.True(t, ok)
			require.Equal(t, [2]int{c.width, c.height}, [2]int{w, h})
		})
	}
}

func TestClaimedSizeOfHugeParameterSets(t *testing.T) {
	w, h, ok := codecs.Find(liveproof.CodecH264).Size(hugeSPS(480, 270))
	require.True(t, ok)
	require.Equal(t, [2]int{7680, 4305}, [2]int{w, h})
	w, h, ok = codecs.Find(liveproof.CodecH264).Size(append(hugeSPS(10, 8), hugeSPS(1<<20, 1<<20)...))
	require.True(t, ok, "the largest counts")
	require.True(t, DefaultConfig().overCap(w, h))
}

func TestQuarterTurns(t *testing.T) {
	for degrees, want := range map[int]int{0: 0, 90: 90, 180: 180, 270: 270, 360: 0, -90: 270, 44: 0, 46: 90, -46: 270, 359: 0, 720: 0} {
		require.Equal(t, want, 90*quarterTurns(float64(degrees)), "%d", degrees)
	}
}
