package codecs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/codecs"
)

func TestEveryRowIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range codecs.Names() {
		t.Run(string(name), func(t *testing.T) {
			f := codecs.Find(name)
			require.Equal(t, name, f.Name)
			require.Same(t, f, codecs.FindFFmpeg(f.FFmpegName))
			require.NotEmpty(t, f.Decoder)
			require.NotEmpty(t, f.FMTP)
			one, other := f.NewDepacketizer(""), f.NewDepacketizer("")
			require.NotSame(t, one, other, "streams must not share one")
			require.False(t, seen[f.MIMEType()], "listed twice")
			seen[f.MIMEType()] = true
			if f.SizeInFile != nil {
				require.NotNil(t, f.SizeInFile(nil), "no stream header")
			}
		})
	}
	require.Nil(t, codecs.Find("THEORA"))
	require.Nil(t, codecs.FindFFmpeg("theora"))
}
