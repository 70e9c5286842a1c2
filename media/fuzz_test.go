package media

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// small keeps what hostile input can make a decoder do to a size that fuzzes fast.
func small() Config {
	cfg := DefaultConfig()
	cfg.MaxPixels = 512 * 512
	return cfg
}

// spend uses every picture of a source as the pipeline does and checks what may be relied on.
func spend(t *testing.T, s source, cfg Config) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var pool liveproof.ImagePool
	for range 200 {
		p, err := s.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("took longer than 10 s")
		}
		if err != nil {
			break
		}
		w, h := p.Size()
		if w <= 0 || h <= 0 || w*h > cfg.MaxPixels {
			t.Fatalf("picture of %d×%d", w, h)
		}
		var cells liveproof.Thumbnail
		p.Fingerprint(&cells)
		if img, err := p.RGB(&pool); err == nil {
			img.Release()
		}
		p.Release()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if pool.Leased() != 0 {
		t.Fatal("images not given back")
	}
}

// FuzzDecode feeds hostile access units of every codec: as a key frame, then
// what follows it, turned and mirrored.
func FuzzDecode(f *testing.F) {
	for i, codec := range liveCodecs {
		clip := encode(f, codec, noisy("64x48", 3))
		f.Add(byte(i), clip[0].Data, clip[1].Data)
		f.Add(byte(i+4), clip[1].Data, clip[2].Data)
	}
	f.Fuzz(func(t *testing.T, kind byte, first, second []byte) {
		codec := liveCodecs[int(kind)%len(liveCodecs)]
		rotation := int(kind>>2) % 4 * 90
		units := []liveproof.AccessUnit{
			{Codec: codec, Key: true, Mirrored: kind&16 != 0, Rotation: rotation, Data: first},
			{Codec: codec, Discardable: kind&1 == 0, Data: second},
			{Codec: codec, Key: true, Data: second},
			{Codec: codec, Gap: true, Data: first},
		}
		s, err := NewStream(small(), &script{units: units})
		if err != nil {
			t.Fatal(err)
		}
		spend(t, s, small())
		if n := s.conv.refs.Load(); n != 0 {
			t.Fatalf("%d references left", n)
		}
	})
}

// FuzzClaimedSize parses hostile headers, as live streams and as files hold them.
func FuzzClaimedSize(f *testing.F) {
	for i, codec := range liveCodecs {
		f.Add(byte(i), encode(f, codec, noisy("64x48", 1))[0].Data)
	}
	f.Add(byte(2), hugeSPS(480, 270))
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		lengths := []byte{1, 0, 0, 0, kind >> 2, 0, 0} // H.264: bytes of a NAL unit's length less 1
		for _, codec := range liveCodecs {
			format := codecs.Find(codec)
			for _, size := range []codecs.Sizer{format.Size, sizerOf(format, nil), sizerOf(format, lengths)} {
				if size == nil {
					continue
				}
				w, h, ok := size(data)
				if w < 0 || h < 0 || w > 1<<16 || h > 1<<16 || !ok && w*h != 0 {
					t.Fatalf("%s: %d×%d %v", codec, w, h, ok)
				}
			}
		}
	})
}

// FuzzOpenFile reads hostile files.
func FuzzOpenFile(f *testing.F) {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a.mp4", []string{"-c:v", "libx264"}}, {"a.mkv", encoders[liveproof.CodecVP8]}, {"a.avi", []string{"-c:v", "mjpeg"}},
		{"a.mjpeg", []string{"-c:v", "mjpeg"}}, {"a.ts", []string{"-c:v", "libx264"}}, {"a.y4m", nil}, {"a.ivf", encoders[liveproof.CodecVP9]},
	} {
		data, err := os.ReadFile(ffmpeg(f, c.name, append(noisy("32x32", 3), c.args...)...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "hostile")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := small()
		cfg.OpenTimeout = 5 * time.Second
		file, err := OpenFile(cfg, path)
		if err != nil {
			return
		}
		spend(t, file, cfg)
	})
}
