package media

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// liveDecoders is all that a live stream may reach of FFmpeg.
var liveDecoders = map[liveproof.Codec]string{
	liveproof.CodecVP8: "vp8", liveproof.CodecVP9: "vp9", liveproof.CodecH264: "h264", liveproof.CodecAV1: "libdav1d",
}

// TestLiveStreamsReachNothingElse: whatever a sender calls its stream, and whatever is in it, no decoder but the four is opened.
func TestLiveStreamsReachNothingElse(t *testing.T) {
	for codec, decoder := range liveDecoders {
		require.Equal(t, decoder, codecs.Find(codec).Decoder)
	}
	contents := [][]byte{
		[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"), []byte("ffconcat version 1.0\nfile /etc/passwd\n"),
		{0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0}, []byte("\x89PNG\r\n\x1a\n"), []byte("RIFF\x10\x00\x00\x00AVI LIST"),
		append([]byte{0, 0, 0, 24}, "ftypisom\x00\x00\x02\x00isommp41"...), {0x1a, 0x45, 0xdf, 0xa3, 0x81, 0}, []byte("<?xml version='1.0'?><MPD/>"),
	}
	names := []liveproof.Codec{"", "H265", "VVC", "MJPEG", "mjpeg", "h264_v4l2m2m", "av1_cuvid", "libvpx", "hls", "concat", "rawvideo", "vp8,mjpeg"}
	for codec := range liveDecoders {
		names = append(names, codec)
	}
	for _, codec := range names {
		for _, data := range contents {
			s, err := NewStream(DefaultConfig(), nil)
			require.NoError(t, err)
			_ = s.feed(liveproof.AccessUnit{Codec: codec, Key: true, Data: data})
			want, known := liveDecoders[codec]
			if !known {
				require.Nil(t, s.dec, codec)
				require.ErrorIs(t, s.end, liveproof.ErrUnsupportedCodec, codec)
			}
			if s.dec != nil {
				require.Equal(t, astiav.FindDecoderByName(want).ID(), s.dec.ctx.CodecID(), codec)
			}
			require.Empty(t, s.ready, "no picture comes of it")
			require.NoError(t, s.Close())
		}
	}
}

// TestLiveDecodersAreAllowedAlone: the context itself refuses every other decoder.
func TestLiveDecodersAreAllowedAlone(t *testing.T) {
	format := *codecs.Find(liveproof.CodecVP8)
	d, err := openLive(DefaultConfig(), &format)
	require.NoError(t, err)
	d.close()
	_, err = openDecoder(DefaultConfig(), astiav.FindDecoderByName("vp8"), nil, map[string]string{"codec_whitelist": "vp9"})
	require.Error(t, err)
	format.Decoder = "no such decoder"
	_, err = openLive(DefaultConfig(), &format)
	require.ErrorIs(t, err, liveproof.ErrUnsupportedCodec)
}

// TestOnlyFilesOpenContainers reads this package's code: demuxers, protocols and decoders by number are used by files alone, and parsers
// and bitstream filters by nobody.
func TestOnlyFilesOpenContainers(t *testing.T) {
	allowed := map[string][]string{
		"AllocFormatContext": {"file_open.go"}, "FindInputFormat": {"file.go"}, "FindDecoder": {"file_open.go"},
		"FindDecoderByName": {"decoder.go"}, "AllocCodecContext": {"decoder.go"},
		"FindBitStreamFilterByName": {}, "AllocBitStreamFilterContext": {}, "AllocIOContext": {}, "OpenIOContext": {}, "AllocCodecParserContext": {},
	}
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if at, named := allowed[call.Sel.Name]; named {
					seen[call.Sel.Name] = true
					require.Contains(t, at, path, "%s in %s", call.Sel.Name, path)
				}
			}
			return true
		})
	}
	require.Len(t, seen, 5, "the five that are used were found, so the others would be too: %v", seen)
	for _, name := range []string{"frame.c", "quantiser.c", "turn.c", "grade.c", "fingerprint.c"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, never := range []string{"avformat", "avcodec_open", "avcodec_find", "av_parser", "av_bsf", "avio_"} {
			require.NotContains(t, string(text), never, name)
		}
	}
}
