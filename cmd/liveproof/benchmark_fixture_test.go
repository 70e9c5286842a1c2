package main

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/benchmark"
)

// A fixture is a tree with a dataset's exact layout, filled with tiny clips of
// a generated face: the same few files under all the names.
type fixture struct {
	dataset *benchmark.Dataset
	root    string
	plans   []benchmark.Plan
}

// newFixture lays a part of a dataset out and films it.
func newFixture(t testing.TB, name string, o benchmark.LayoutOptions) fixture {
	t.Helper()
	dataset, err := benchmark.Known().Open(name)
	require.NoError(t, err)
	if o.Every == 0 {
		o.Every = 1
	}
	o.Scale = 1
	plans, err := dataset.Layout(o)
	require.NoError(t, err)
	f := fixture{dataset, t.TempDir(), plans}
	require.NoError(t, dataset.WriteLayout(f.root, plans))
	for _, p := range plans {
		f.put(t, p.Path, clip(t, clipKind{suffix: filepath.Ext(p.Path), frames: 16, over: p.Turned() == 180}))
	}
	return f
}

// put gives a file of the tree the content.
func (f fixture) put(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(f.root, filepath.FromSlash(path)), data, 0o600))
}

// clipKind is all in which the clips differ.
type clipKind struct {
	suffix string
	frames int
	over   bool // stored upside down
	nobody bool
	rotate string // the container's tag, clockwise degrees
}

// clips keeps what ffmpeg made, for all tests of the package.
var clips sync.Map // of clipKind to []byte

func clip(t testing.TB, k clipKind) []byte {
	t.Helper()
	if data, ok := clips.Load(k); ok {
		return data.([]byte)
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "clip"+k.suffix)
	args := append([]string{"-v", "error"}, k.input(t, dir)...)
	args = append(args, "-frames:v", fmt.Sprint(k.frames), "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p")
	if k.over {
		args = append(args, "-vf", "hflip,vflip")
	}
	out, err := exec.Command("ffmpeg", append(args, path)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	if k.rotate != "" {
		tagged := filepath.Join(dir, "tagged"+k.suffix)
		out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-metadata:s:v:0", "rotate="+k.rotate, tagged).CombinedOutput()
		require.NoError(t, err, "%s", out)
		path = tagged
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	clips.Store(k, data)
	return data
}

func (k clipKind) input(t testing.TB, dir string) []string {
	if k.nobody {
		return []string{"-f", "lavfi", "-i", "gradients=size=320x320:rate=25:speed=0.02:seed=1"}
	}
	path := filepath.Join(dir, "face.png")
	var encoded bytes.Buffer
	require.NoError(t, png.Encode(&encoded, portrait(t)))
	require.NoError(t, os.WriteFile(path, encoded.Bytes(), 0o600))
	return []string{"-loop", "1", "-framerate", "25", "-i", path}
}

// portrait is the first of the committed bona fide crops in which the detector
// finds a face, on a grey field of 320×320 pixels.
var portrait = func() func(testing.TB) image.Image {
	var once sync.Once
	var found image.Image
	return func(t testing.TB) image.Image {
		once.Do(func() { found = findPortrait(t) })
		require.NotNil(t, found, "the detector finds a face in none of models/golden/none_*.png")
		return found
	}
}()

func findPortrait(t testing.TB) image.Image {
	eyes := testEyes(t)
	defer func() { require.NoError(t, eyes.Close()) }()
	paths, err := filepath.Glob("../../models/golden/none_*.png")
	require.NoError(t, err)
	for _, path := range paths {
		field := padded(t, path)
		seen, err := eyes.detector.NewStream().Detect(t.Context(), packed(field))
		require.NoError(t, err)
		if seen.Primary >= 0 {
			return field
		}
	}
	return nil
}

func padded(t testing.TB, path string) *image.RGBA {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	face, err := png.Decode(f)
	require.NoError(t, err)
	field := image.NewRGBA(image.Rect(0, 0, 320, 320))
	draw.Draw(field, field.Bounds(), image.NewUniform(face.At(0, 0)), image.Point{}, draw.Src)
	draw.Draw(field, face.Bounds().Add(image.Pt(48, 48)), face, image.Point{}, draw.Src)
	return field
}

func packed(m *image.RGBA) *liveproof.Image {
	img := liveproof.NewImage(m.Rect.Dx(), m.Rect.Dy())
	for i := range img.Width * img.Height {
		copy(img.Pix[3*i:3*i+3], m.Pix[4*i:])
	}
	return img
}

func testEyes(t testing.TB) *engine {
	t.Helper()
	needRuntime(t)
	cfg, err := loadConfig("", os.Environ())
	require.NoError(t, err)
	eyes, err := openEyes(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	return eyes
}

// command runs liveproof with these arguments.
func command(t testing.TB, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(&o)
	root.SetErr(&e)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		e.WriteString(err.Error())
	}
	return o.String(), e.String(), exitCode(err)
}

// extract runs `liveproof extract` on the fixture.
func (f fixture) extract(t testing.TB, out string, args ...string) (text, errText string, code int) {
	t.Helper()
	needRuntime(t)
	return command(t, append([]string{"extract", "--dataset", f.dataset.Name, "--root", f.root, "--out", out}, args...)...)
}

func (f fixture) mustExtract(t testing.TB, out string, args ...string) {
	t.Helper()
	_, errText, code := f.extract(t, out, args...)
	require.Equal(t, exitOK, code, errText)
}
