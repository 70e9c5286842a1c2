package detector

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"image"
	"image/draw"
	_ "image/jpeg"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/onnx"
)

// sharedFile finds a file of the shared folder, or skips the test.
func sharedFile(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("LIVEPROOF_SHARED")
	if root == "" {
		tb.Skip("needs LIVEPROOF_SHARED, the folder with shared models and media")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("%s is missing in LIVEPROOF_SHARED", filepath.Join(elem...))
	}
	return path
}

// testRuntime opens ONNX Runtime, or skips the test where the library is missing.
func testRuntime(tb testing.TB) *onnx.Runtime {
	tb.Helper()
	rt, err := onnx.Open(onnx.DefaultConfig())
	if err != nil {
		tb.Skipf("ONNX Runtime: %v", err)
	}
	tb.Cleanup(func() {
		if err := rt.Close(); err != nil {
			tb.Error(err)
		}
	})
	return rt
}

// openShared opens the current network, or skips the test where its file is missing.
func openShared(tb testing.TB, cfg Config) *Detector {
	tb.Helper()
	catalog, err := models.New(models.DefaultConfig(), configs.Models(), models.DefaultPlaces())
	if err != nil {
		tb.Fatal(err)
	}
	file, err := catalog.Find(Model())
	if errors.Is(err, models.ErrMissing) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	d, err := Open(cfg, testRuntime(tb), file.Data, NewMetrics(nil), quiet())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// portrait is one row of faces.csv.
type portrait struct {
	file  string
	box   liveproof.Box
	marks liveproof.Landmarks
}

// portraits reads every step-th row of faces.csv, n at most.
func portraits(tb testing.TB, n, step int) []portrait {
	tb.Helper()
	f, err := os.Open(sharedFile(tb, "faces", "faces.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var out []portrait
	for i := 1; i < len(rows) && len(out) < n; i += step {
		v := numbers(tb, rows[i][3:17])
		p := portrait{file: rows[i][0], box: liveproof.Box{X1: v[0], Y1: v[1], X2: v[2], Y2: v[3]}}
		for k := range p.marks {
			p.marks[k] = liveproof.Point{X: v[4+2*k], Y: v[5+2*k]}
		}
		out = append(out, p)
	}
	return out
}

func numbers(tb testing.TB, fields []string) []float32 {
	tb.Helper()
	out := make([]float32, len(fields))
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 32)
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = float32(v)
	}
	return out
}

func loadPortrait(tb testing.TB, p portrait) *liveproof.Image {
	tb.Helper()
	f, err := os.Open(sharedFile(tb, "faces", p.file))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	decoded, _, err := image.Decode(f)
	if err != nil {
		tb.Fatal(err)
	}
	return fromStdImage(decoded)
}

func fromStdImage(src image.Image) *liveproof.Image {
	b := src.Bounds()
	rgba := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(rgba, rgba.Bounds(), src, b.Min, draw.Src)
	img := liveproof.NewImage(b.Dx(), b.Dy())
	for i := range b.Dx() * b.Dy() {
		copy(img.Pix[3*i:3*i+3], rgba.Pix[4*i:])
	}
	return img
}

// paste puts src onto dst with its top left corner at x, y.
func paste(dst, src *liveproof.Image, x, y int) {
	for row := range src.Height {
		if row+y < 0 || row+y >= dst.Height {
			continue
		}
		n := min(src.Width, dst.Width-x)
		copy(dst.Pix[(row+y)*dst.Stride+3*x:][:3*n], src.Pix[row*src.Stride:])
	}
}

// grey is a picture of one colour.
func grey(w, h int, v byte) *liveproof.Image {
	img := liveproof.NewImage(w, h)
	for i := range img.Pix {
		img.Pix[i] = v
	}
	return img
}

// clip decodes every step-th picture of a 640×480 video of the shared folder
// with FFmpeg; they have 30 a second, so that a step of 6 gives 5.
func clip(tb testing.TB, name string, step int) []*liveproof.Image {
	tb.Helper()
	path := sharedFile(tb, "media", name)
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		tb.Skip("ffmpeg is missing")
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path,
		"-vf", "select='not(mod(n,"+strconv.Itoa(step)+"))'", "-vsync", "0", "-frames:v", "400",
		"-f", "rawvideo", "-pix_fmt", "rgb24", "-").Output()
	if err != nil {
		tb.Fatalf("ffmpeg %s: %v", name, err)
	}
	var images []*liveproof.Image
	for r := bytes.NewReader(out); ; {
		img := liveproof.NewImage(640, 480)
		if _, err := io.ReadFull(r, img.Pix); err != nil {
			return images
		}
		images = append(images, img)
	}
}

// detect gives the stream its next picture, a fifth of a second after the last one.
func detect(tb testing.TB, s *Stream, img *liveproof.Image) liveproof.Detection {
	tb.Helper()
	d, err := s.Detect(context.Background(), img, s.follower.last+time.Second/5, false)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}
