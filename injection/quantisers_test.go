package injection

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// told takes the step from the first byte of a picture.
type told struct{}

func (told) Read(unit []byte) codecs.Quantised { return codecs.Quantised{Step: float64(unit[0])} }

// pictures of 120 units, whose steps and sizes are given.
func pictures(step func(i int) byte, size func(i int) int) coded {
	q := quantisers{reader: told{}, codec: liveproof.CodecVP8}
	for i := range 120 {
		data := make([]byte, size(i))
		data[0] = step(i)
		q.observe(&liveproof.AccessUnit{Codec: liveproof.CodecVP8, Key: i == 0, Data: data})
	}
	return q.measure()
}

func TestQuantisers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	sizes := func(int) int { return 1000 + r.IntN(400) }
	steady := func(step byte) func(int) byte { return func(int) byte { return step } }
	for name, test := range map[string]struct {
		step func(int) byte
		odd  float64
	}{
		"a rate control":                    {func(int) byte { return byte(8 + r.IntN(6)) }, 0},
		"one that changes now and then":     {func(i int) byte { return byte(8 + i/3%5) }, 0},
		"a constant quantiser":              {steady(12), 1},
		"the finest one, for a still scene": {steady(2), 0},
		"the coarsest one, on a full link":  {steady(60), 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := pictures(test.step, sizes)
			require.True(t, c.known)
			require.InDelta(t, test.odd, c.oddity(), 1e-9)
			require.Less(t, c.echo, 0.5)
		})
	}
}

// TestEchoOfKeyFrames: the refined pictures of a recording's key frames cost bytes in every encoding after it.
func TestEchoOfKeyFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := pictures(func(int) byte { return 9 }, func(i int) int { return 1000 + r.IntN(100) + 2000*int(indicator(i%12 == 5)) })
	require.Greater(t, c.echo, 0.9)
}

// TestUnknownCodec: without headers that can be read nothing is known.
func TestUnknownCodec(t *testing.T) {
	var q quantisers
	for _, codec := range []liveproof.Codec{"", liveproof.CodecH264, liveproof.CodecAV1, liveproof.CodecVP9, liveproof.CodecVP8} {
		for range 2 * quantiserLeast {
			q.observe(&liveproof.AccessUnit{Codec: codec, Data: []byte{1}})
		}
		require.False(t, q.measure().known)
	}
}

func BenchmarkUnit(b *testing.B) {
	w := New(DefaultConfig(), "", nil, nil)
	u := liveproof.AccessUnit{Codec: liveproof.CodecVP8, Data: make([]byte, 4000)}
	u.Data[0] = 1 // no key frame
	for b.Loop() {
		u.PTS += 33e6
		u.ArrivedAt = u.ArrivedAt.Add(33e6)
		w.unit(&u)
	}
}

func BenchmarkQuantisers(b *testing.B) {
	q := quantisers{reader: told{}, codec: liveproof.CodecVP8}
	for i := range 2 * cadenceWindow {
		q.observe(&liveproof.AccessUnit{Codec: liveproof.CodecVP8, Data: append([]byte{byte(5 + i%7)}, make([]byte, 1000+97*i%800)...)})
	}
	for b.Loop() {
		q.measure()
	}
}
