package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// eachCodec runs a test over frames access units of every live codec.
func eachCodec(t *testing.T, size string, frames int, test func(*testing.T, []liveproof.AccessUnit)) {
	for _, codec := range liveCodecs {
		t.Run(string(codec), func(t *testing.T) {
			units := encode(t, codec, noisy(size, frames))
			require.Equal(t, frames, len(units))
			test(t, units)
		})
	}
}

func TestStreamDecodesEveryCodec(t *testing.T) {
	eachCodec(t, "320x240", 20, func(t *testing.T, units []liveproof.AccessUnit) {
		all, counts, src, err := play(t, units)
		require.NoError(t, err)
		require.Equal(t, 20, len(all))
		seen := map[uint64]bool{}
		for i, p := range all {
			require.Equal(t, [2]int{320, 240}, [2]int{p.width, p.height})
			require.Equal(t, units[i].PTS, p.at)
			seen[p.digest] = true
		}
		require.Equal(t, 20, len(seen), "noise makes every digest different")
		require.Equal(t, Counts{Received: 20, Decoded: 20}, counts)
		require.Empty(t, src.requests)
	})
}

// TestStreamHoldsNothingBack: a picture comes out before the next access unit goes in.
func TestStreamHoldsNothingBack(t *testing.T) {
	eachCodec(t, "160x128", 5, func(t *testing.T, units []liveproof.AccessUnit) {
		src := &script{units: units}
		s, err := NewStream(DefaultConfig(), src)
		require.NoError(t, err)
		defer s.Close()
		for i := range units {
			p, err := s.Next(context.Background())
			require.NoError(t, err)
			require.Equal(t, i+1, src.next)
			p.Release()
		}
	})
}

// TestStreamShowsNothingBetweenLossAndKeyFrame is row 9 of the bad-input table.
func TestStreamShowsNothingBetweenLossAndKeyFrame(t *testing.T) {
	eachCodec(t, "160x128", 12, func(t *testing.T, clip []liveproof.AccessUnit) {
		units := append([]liveproof.AccessUnit{}, clip[:4]...) // 0…3
		units = append(units, clip[5:9]...)                    // 4 is lost
		units[4].Gap = true
		units = append(units, clip[0], clip[1]) // the key frame that was asked for
		whole, _, _, err := play(t, clip)
		require.NoError(t, err)

		all, counts, src, err := play(t, units)
		require.NoError(t, err)
		require.Equal(t, 6, len(all))
		for i, want := range []int{0, 1, 2, 3, 0, 1} {
			require.Equal(t, whole[want].digest, all[i].digest, "picture %d", i)
		}
		require.Equal(t, Counts{Received: 10, Decoded: 6, Dropped: map[DropReason]int64{DropAwaitKeyFrame: 4}}, counts)
		require.Equal(t, []int{5}, src.requests)
	})
}

func TestStreamStartsAtKeyFrameAndAsksAgain(t *testing.T) {
	clip := encode(t, liveproof.CodecVP8, noisy("160x128", 40))
	all, counts, src, err := play(t, append(clip[1:], clip[0]))
	require.NoError(t, err)
	require.Equal(t, 1, len(all))
	require.Equal(t, int64(39), counts.Dropped[DropAwaitKeyFrame])
	require.Equal(t, []int{1, 15, 30}, src.requests)
}

func TestStreamGapBeforeKeyFrameLosesNothing(t *testing.T) {
	clip := encode(t, liveproof.CodecH264, noisy("160x128", 4))
	again := append(append([]liveproof.AccessUnit{}, clip...), clip...)
	again[4].Gap = true
	all, counts, src, err := play(t, again)
	require.NoError(t, err)
	require.Equal(t, 8, len(all))
	require.Zero(t, counts.TotalDropped())
	require.Empty(t, src.requests)
}

// TestStreamReconfigures is row 10: size, codec and rotation change mid-stream.
func TestStreamReconfigures(t *testing.T) {
	var units []liveproof.AccessUnit
	var want [][2]int
	for _, codec := range append(liveCodecs, liveproof.CodecVP8) {
		for _, size := range []struct {
			name string
			w, h int
		}{{"160x128", 160, 128}, {"320x240", 320, 240}, {"98x66", 98, 66}} {
			units = append(units, encode(t, codec, noisy(size.name, 3))...)
			want = append(want, [2]int{size.w, size.h}, [2]int{size.w, size.h}, [2]int{size.w, size.h})
		}
	}
	all, counts, _, err := play(t, units)
	require.NoError(t, err)
	require.Zero(t, counts.TotalDropped())
	require.Equal(t, len(want), len(all))
	for i, p := range all {
		require.Equal(t, [2]int{p.width, p.height}, want[i], "picture %d", i)
	}
}

func TestStreamCodecChangeWaitsForKeyFrame(t *testing.T) {
	vp8 := encode(t, liveproof.CodecVP8, noisy("160x128", 3))
	h264 := encode(t, liveproof.CodecH264, noisy("160x128", 3))
	units := append(append([]liveproof.AccessUnit{}, vp8...), h264[1:]...)
	units = append(units, h264...)
	all, counts, src, err := play(t, units)
	require.NoError(t, err)
	require.Equal(t, 6, len(all))
	require.Equal(t, map[DropReason]int64{DropAwaitKeyFrame: 2}, counts.Dropped)
	require.Equal(t, []int{4}, src.requests)
}

func TestStreamRotates(t *testing.T) {
	clip := encode(t, liveproof.CodecVP8, noisy("98x66", 1))
	upright, _, _, err := play(t, clip)
	require.NoError(t, err)
	src := upright[0]
	at := func(s shown, x, y int) []byte { return s.rgb[3*(y*s.width+x):][:3] }
	for _, c := range []struct {
		rotation      int
		width, height int
		to            func(x, y int) (int, int)
	}{
		{0, 98, 66, func(x, y int) (int, int) { return x, y }},
		{90, 66, 98, func(x, y int) (int, int) { return 65 - y, x }},
		{180, 98, 66, func(x, y int) (int, int) { return 97 - x, 65 - y }},
		{270, 66, 98, func(x, y int) (int, int) { return y, 97 - x }},
		{-90, 66, 98, func(x, y int) (int, int) { return y, 97 - x }},
	} {
		clip[0].Rotation = c.rotation
		all, _, _, err := play(t, clip)
		require.NoError(t, err)
		got := all[0]
		require.Equal(t, [2]int{c.width, c.height}, [2]int{got.width, got.height})
		require.Equal(t, src.digest, got.digest, "the digest is of what was decoded")
		for y := range src.height {
			for x := range src.width {
				tx, ty := c.to(x, y)
				if !bytes.Equal(at(src, x, y), at(got, tx, ty)) {
					t.Fatalf("rotation %d: (%d,%d) is not at (%d,%d)", c.rotation, x, y, tx, ty)
				}
			}
		}
	}
}

// TestStreamRefusesPicturesAboveCap is the second half of row 10.
func TestStreamRefusesPicturesAboveCap(t *testing.T) {
	for _, codec := range liveCodecs {
		t.Run(string(codec), func(t *testing.T) {
			small := encode(t, codec, noisy("160x128", 1))
			large := encode(t, codec, []string{"-f", "lavfi", "-i", "color=gray:size=2048x1920", "-frames:v", "1"})
			all, counts, _, err := play(t, append(small, large...))
			require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
			require.Equal(t, 1, len(all))
			require.Equal(t, int64(1), counts.Dropped[DropDecodeError])
		})
	}
}

func TestStreamRefusesHugeHeaderBeforeADecoderExists(t *testing.T) {
	vp8 := encode(t, liveproof.CodecVP8, noisy("160x128", 1))[0]
	vp8.Data = bytes.Clone(vp8.Data)
	binary.LittleEndian.PutUint16(vp8.Data[6:], 7680)
	binary.LittleEndian.PutUint16(vp8.Data[8:], 4320)
	h264 := encode(t, liveproof.CodecH264, noisy("160x128", 1))[0]
	h264.Data = append(hugeSPS(7680/16, 4320/16), h264.Data...)
	vp9 := encode(t, liveproof.CodecVP9, noisy("160x128", 1))[0]
	vp9.Data = bytes.Clone(vp9.Data)
	vp9.Data[5], vp9.Data[6] = 0xff, 0xff // inside the 16 bits of width and height of profile 0

	for _, au := range []liveproof.AccessUnit{vp8, h264, vp9} {
		t.Run(string(au.Codec), func(t *testing.T) {
			s, err := NewStream(DefaultConfig(), &script{units: []liveproof.AccessUnit{au}})
			require.NoError(t, err)
			defer s.Close()
			for range 2 {
				_, err = s.Next(context.Background())
				require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
				require.Nil(t, s.dec, "no decoder was opened")
			}
		})
	}
}

// hugeSPS writes a baseline sequence parameter set of so many macroblocks.
func hugeSPS(mbWidth, mbHeight int) []byte {
	var w bitWriter
	w.bits(66, 8) // profile
	w.bits(0, 8)  // constraints
	w.bits(62, 8) // level
	w.ue(0)       // id
	w.ue(0)       // log2_max_frame_num
	w.ue(2)       // picture order type
	w.ue(1)       // reference frames
	w.bits(0, 1)  // gaps
	w.ue(mbWidth - 1)
	w.ue(mbHeight - 1)
	w.bits(1, 1) // frames only
	w.bits(1, 1) // direct 8×8
	w.bits(0, 1) // cropping
	w.bits(0, 1) // VUI
	w.bits(1, 1) // stop bit
	return append([]byte{0, 0, 0, 1, 0x67}, w.data...)
}

type bitWriter struct {
	data []byte
	n    int
}

func (w *bitWriter) bits(v, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *bitWriter) ue(v int) {
	length := 0
	for (v+1)>>(length+1) > 0 {
		length++
	}
	w.bits(0, length)
	w.bits(v+1, length+1)
}

func TestStreamUnsupportedCodec(t *testing.T) {
	_, _, _, err := play(t, []liveproof.AccessUnit{{Codec: "THEORA", Key: true, Data: []byte{1}}})
	require.ErrorIs(t, err, liveproof.ErrUnsupportedCodec)
}

// TestStreamDamagedUnits is row 9: whatever is cut or flipped, nothing crashes,
// and where the decoder notices, nothing is shown before the next key frame.
func TestStreamDamagedUnits(t *testing.T) {
	eachCodec(t, "160x128", 10, func(t *testing.T, clip []liveproof.AccessUnit) {
		rng := rand.New(rand.NewPCG(1, 2))
		noticed := 0
		for round := range 60 {
			units := append([]liveproof.AccessUnit{}, clip...)
			hit := round % 8
			units[hit].Data = damage(rng, units[hit].Data, round%3)
			units = append(units, clip[0], clip[1])
			all, counts, src, err := play(t, units)
			if err != nil {
				require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
				continue
			}
			lost := counts.Dropped[DropDecodeError] + counts.Dropped[DropCorrupt]
			if lost == 0 {
				continue
			}
			noticed++
			require.NotEmpty(t, src.requests)
			require.GreaterOrEqual(t, len(all), 2)
			tail := all[len(all)-2:]
			require.Equal(t, clip[0].PTS, tail[0].at)
			require.Equal(t, clip[1].PTS, tail[1].at)
			for i, p := range all[:len(all)-2] {
				require.Equal(t, clip[i].PTS, p.at, "what follows a damaged picture is not shown")
			}
		}
		t.Logf("%d of 60 noticed by the decoder", noticed)
		require.Positive(t, noticed)
	})
}

// damage truncates, flips bits, or blanks the middle.
func damage(rng *rand.Rand, data []byte, how int) []byte {
	data = bytes.Clone(data)
	switch how {
	case 0:
		return data[:rng.IntN(len(data))]
	case 1:
		for range 8 {
			data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		}
	case 2:
		clear(data[len(data)/3 : len(data)/2])
	}
	return data
}

// TestStreamFrozenPictureHasOneDigest is row 8.
func TestStreamFrozenPictureHasOneDigest(t *testing.T) {
	eachCodec(t, "320x240", 1, func(t *testing.T, clip []liveproof.AccessUnit) {
		all, _, _, err := play(t, []liveproof.AccessUnit{clip[0], clip[0], clip[0]})
		require.NoError(t, err)
		require.Equal(t, 3, len(all))
		require.Equal(t, all[0].digest, all[1].digest)
		require.Equal(t, all[0].digest, all[2].digest)
	})
}

func TestStreamPictureOutlivesClose(t *testing.T) {
	clip := encode(t, liveproof.CodecVP8, noisy("160x128", 2))
	s, err := NewStream(DefaultConfig(), &script{units: clip})
	require.NoError(t, err)
	p, err := s.Next(context.Background())
	require.NoError(t, err)
	digest := digestOf(p)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	var pool liveproof.ImagePool
	img, err := p.RGB(&pool)
	require.NoError(t, err)
	img.Release()
	require.Equal(t, digest, digestOf(p))
	p.Release()
	p.Release()
	_, err = p.RGB(&pool)
	require.ErrorIs(t, err, ErrClosed)
	require.Zero(t, pool.Leased())
	require.Zero(t, p.(*picture).conv.refs.Load())
	_, err = s.Next(context.Background())
	require.ErrorIs(t, err, ErrClosed)
}

type waiting struct{}

func (waiting) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	<-ctx.Done()
	return liveproof.AccessUnit{}, ctx.Err()
}
func (waiting) RequestKeyFrame() {}

func TestStreamNextEndsWithContext(t *testing.T) {
	s, err := NewStream(DefaultConfig(), waiting{})
	require.NoError(t, err)
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = s.Next(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

type failing struct{ err error }

func (f failing) Next(context.Context) (liveproof.AccessUnit, error) {
	return liveproof.AccessUnit{}, f.err
}
func (failing) RequestKeyFrame() {}

func TestStreamEndsWithSourceError(t *testing.T) {
	for _, want := range []error{io.EOF, errors.New("peer gone")} {
		s, err := NewStream(DefaultConfig(), failing{want})
		require.NoError(t, err)
		_, err = s.Next(context.Background())
		require.ErrorIs(t, err, want)
		require.NoError(t, s.Close())
	}
}

func TestNewStreamRefusesBadConfig(t *testing.T) {
	_, err := NewStream(Config{}, waiting{})
	require.ErrorContains(t, err, "max_pixels: ")
}
