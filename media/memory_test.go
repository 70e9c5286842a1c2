package media

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// resident is this process's resident memory in bytes, FFmpeg's included.
func resident(t testing.TB) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("needs /proc/self/statm to see what FFmpeg allocates")
	}
	runtime.GC()
	debug.FreeOSMemory()
	pages, err := strconv.Atoi(string(bytes.Fields(data)[1]))
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

// peak runs do and returns by how many bytes the resident memory rose at its highest.
func peak(t testing.TB, do func()) int {
	t.Helper()
	before := resident(t)
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("needs /proc/self/clear_refs to reset the memory high-water mark")
	}
	do()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, line, found := bytes.Cut(status, []byte("VmHWM:"))
	require.True(t, found)
	kilobytes, err := strconv.Atoi(string(bytes.Fields(line)[0]))
	require.NoError(t, err)
	return kilobytes<<10 - before
}

// TestStreamMemory holds the decoder's part of the session limit: 30 MB at
// 640×480, of which the pipeline needs some.
func TestStreamMemory(t *testing.T) {
	const sessions, limit = 10, 20 << 20
	for _, codec := range liveCodecs {
		t.Run(string(codec), func(t *testing.T) {
			clip := encode(t, codec, noisy("640x480", 30))
			before := resident(t)
			var streams []*Stream
			for range sessions {
				s, err := NewStream(DefaultConfig(), &script{units: clip})
				require.NoError(t, err)
				streams = append(streams, s)
				for range clip {
					p, err := s.Next(context.Background())
					require.NoError(t, err)
					p.Release()
				}
			}
			each := (resident(t) - before) / sessions
			t.Logf("%.1f MB a session", float64(each)/(1<<20))
			require.Less(t, each, limit)
			for _, s := range streams {
				require.NoError(t, s.Close())
			}
		})
	}
}

// TestRefusalAllocatesNothing: a stream that claims 3840×2160 costs no memory for it,
// whichever decoder reads the claim. One such picture alone is 12 MB.
func TestRefusalAllocatesNothing(t *testing.T) {
	for _, codec := range liveCodecs {
		t.Run(string(codec), func(t *testing.T) {
			clip := encode(t, codec, []string{"-f", "lavfi", "-i", "color=gray:size=3840x2160", "-frames:v", "1"})
			src := &script{units: append(clip, clip...)}
			s, err := NewStream(DefaultConfig(), src)
			require.NoError(t, err)
			rise := peak(t, func() { _, err = s.Next(context.Background()) })
			require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
			require.Less(t, rise, 6<<20)
			require.NoError(t, s.Close())
		})
	}
}

// TestStreamGivesMemoryBack: sessions come and go, also through losses, which reopen the decoder.
func TestStreamGivesMemoryBack(t *testing.T) {
	clip := encode(t, liveproof.CodecH264, noisy("320x240", 4))
	lossy := append([]liveproof.AccessUnit{}, clip...)
	lossy[2].Gap = true
	lossy = append(lossy, clip...)
	run := func(n int) {
		for range n {
			_, _, _, err := play(t, lossy)
			require.NoError(t, err)
		}
	}
	run(20)
	before := resident(t)
	run(100)
	require.Less(t, resident(t)-before, 16<<20)
}
