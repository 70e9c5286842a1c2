package media

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestStreamDecodesEveryCodec(t *testing.T) {
	for _, codec := range liveCodecs {
		t.Run(string(codec), func(t *testing.T) {
			units := encode(t, codec, noisy("320x240", 20))
			require.Equal(t, 20, len(units))
			all, counts, src, err := play(t, units)
			require.NoError(t, err)
			require.Equal(t, 20, len(all))
			seen := map[uint64]bool{}
			for i, p := range all {
				require.Equal(t, [2]int{320, 240}, [2]int{p.width, p.height})
				require.Equal(t, time.Duration(i)*time.Second/30, p.at)
				seen[p.digest] = true
			}
			require.Equal(t, 20, len(seen), "noise makes every digest different")
			require.Equal(t, Counts{Received: 20, Decoded: 20}, counts)
			require.Empty(t, src.requests)
		})
	}
}

var _ = liveproof.CodecVP8
