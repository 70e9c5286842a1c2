package media

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// endless plays a clip over and over; each pass begins with its key frame.
type endless struct {
	units []liveproof.AccessUnit
	next  int
}

func (e *endless) Next(context.Context) (liveproof.AccessUnit, error) {
	au := e.units[e.next%len(e.units)]
	e.next++
	return au, nil
}

func (e *endless) RequestKeyFrame() {}

// BenchmarkDecode is one 640×480 picture at 1 Mbit/s, without conversion. Budget: 0.75 ms for VP8.
func BenchmarkDecode(b *testing.B) {
	for _, codec := range liveCodecs {
		b.Run(string(codec), func(b *testing.B) {
			s, err := NewStream(DefaultConfig(), &endless{units: encode(b, codec, noisy("640x480", 90))})
			require.NoError(b, err)
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				p, err := s.Next(context.Background())
				require.NoError(b, err)
				p.Release()
			}
		})
	}
}

// firstPicture decodes the first picture of a clip.
func firstPicture(b *testing.B, codec liveproof.Codec, size string) liveproof.Picture {
	b.Helper()
	s, err := NewStream(DefaultConfig(), &script{units: encode(b, codec, noisy(size, 2))})
	require.NoError(b, err)
	b.Cleanup(func() { s.Close() })
	p, err := s.Next(context.Background())
	require.NoError(b, err)
	b.Cleanup(p.Release)
	return p
}

// BenchmarkConvert is one picture to RGB. Budget: 0.3 ms at 640×480.
func BenchmarkConvert(b *testing.B) {
	for _, c := range []struct {
		name, size string
		turns      int
	}{{"640x480", "640x480", 0}, {"640x480/rotated", "640x480", 1}, {"642x480", "642x480", 0}, {"1280x720", "1280x720", 0}} {
		b.Run(c.name, func(b *testing.B) {
			p := firstPicture(b, liveproof.CodecVP8, c.size)
			p.(*picture).orientation.Turns = c.turns
			var pool liveproof.ImagePool
			b.ReportAllocs()
			for b.Loop() {
				img, err := p.RGB(&pool)
				require.NoError(b, err)
				img.Release()
			}
		})
	}
}

// BenchmarkCoding is how one picture of 640×480 was encoded: for H.264 and VP9 the sum over the blocks that the decoder exports.
func BenchmarkCoding(b *testing.B) {
	for _, codec := range liveCodecs {
		b.Run(string(codec), func(b *testing.B) {
			p := firstPicture(b, codec, "640x480").(*picture)
			b.ReportAllocs()
			for b.Loop() {
				require.NotNil(b, p.coding())
			}
		})
	}
}

// BenchmarkFingerprint is one picture. Budget: 0.03 ms at 640×480.
func BenchmarkFingerprint(b *testing.B) {
	for _, size := range []string{"640x480", "1280x720"} {
		b.Run(size, func(b *testing.B) {
			p := firstPicture(b, liveproof.CodecVP8, size)
			var t liveproof.Thumbnail
			b.ReportAllocs()
			for b.Loop() {
				p.Fingerprint(&t)
			}
		})
	}
}

// BenchmarkFile is one picture of a 640×480 MP4, decoded and not converted.
func BenchmarkFile(b *testing.B) {
	path := ffmpeg(b, "clip.mp4", append(noisy("640x480", 90), encoders[liveproof.CodecH264]...)...)
	var f *File
	defer func() { f.Close() }()
	open := func() {
		var err error
		f, err = OpenFile(DefaultConfig(), path)
		require.NoError(b, err)
	}
	open()
	b.ReportAllocs()
	for b.Loop() {
		p, err := f.Next(context.Background())
		if errors.Is(err, io.EOF) {
			f.Close()
			open()
			continue
		}
		require.NoError(b, err)
		p.Release()
	}
}
