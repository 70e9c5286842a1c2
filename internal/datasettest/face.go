package datasettest

import (
	"errors"
	"image"
	"image/draw"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/onnx"
)

// Faces opens the face detector and cropper, until the test ends.
func Faces(t testing.TB, cfg engine.Config) *engine.Faces {
	t.Helper()
	faces, err := engine.OpenFaces(cfg, slog.New(slog.DiscardHandler))
	if errors.Is(err, onnx.ErrLibrary) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, faces.Close()) })
	return faces
}

var (
	findOnce sync.Once
	found    image.Image
)

// Portrait is the first of the committed bona fide crops in which the detector
// finds a face, on a grey field of 320×320 pixels.
func Portrait(t testing.TB) image.Image {
	findOnce.Do(func() { found = findPortrait(t) })
	require.NotNil(t, found, "the detector finds a face in none of models/golden/none_*.png")
	return found
}

func findPortrait(t testing.TB) image.Image {
	faces := Faces(t, engine.DefaultConfig())
	_, here, _, _ := runtime.Caller(0)
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../../models/golden/none_*.png"))
	require.NoError(t, err)
	for _, path := range paths {
		field := pad(t, path)
		detection, err := faces.Follow().Detect(t.Context(), Pack(field), 0, true)
		require.NoError(t, err)
		if detection.Primary >= 0 {
			return field
		}
	}
	return nil
}

func pad(t testing.TB, path string) *image.RGBA {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	face, err := png.Decode(f)
	require.NoError(t, err)
	field := image.NewRGBA(image.Rect(0, 0, 320, 320))
	draw.Draw(field, field.Bounds(), image.NewUniform(face.At(0, 0)), image.Point{}, draw.Src)
	draw.Draw(field, face.Bounds().Add(image.Pt(48, 48)), face, image.Point{}, draw.Src)
	return field
}

// Pack drops the alpha channel.
func Pack(m *image.RGBA) *liveproof.Image {
	img := liveproof.NewImage(m.Rect.Dx(), m.Rect.Dy())
	for i := range img.Width * img.Height {
		copy(img.Pix[3*i:3*i+3], m.Pix[4*i:])
	}
	return img
}
