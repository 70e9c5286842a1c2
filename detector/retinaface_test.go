package detector

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

func openTestModel(tb testing.TB, rt *onnx.Runtime, name string) (*Detector, error) {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	f, _, err := openRetinaFace(DefaultConfig(), rt, file, nil, quiet())
	if err != nil {
		return nil, err
	}
	return newDetector(DefaultConfig(), "", f[0], NewMetrics(nil)), nil
}

func TestWrongModelIsRefused(t *testing.T) {
	rt := testRuntime(t)
	tests := []struct{ file, named string }{
		{"names.onnx", "output 593 float32[1 -1 2] is missing"},
		{"landmarks.onnx", "want 592 float32[1 -1 10]"},
		{"fixed.onnx", "input is input0 float32[1 3 256 320], want input0 float32[1 3 -1 -1]"},
		{"priors.onnx", "the first run at 320×256 failed"},
		{"make_models.py", "not a usable ONNX model"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			d, err := openTestModel(t, rt, tt.file)
			if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), tt.named) {
				t.Errorf("detector %v, error %v; want ErrModel with %q", d, err, tt.named)
			}
		})
	}
	if _, err := Open(DefaultConfig(), rt, []byte{}, NewMetrics(nil), quiet()); !errors.Is(err, ErrModel) {
		t.Errorf("empty file: %v, want ErrModel: it is not the same as no file", err)
	}
}

func TestNetworkWithoutNumbersFindsNobody(t *testing.T) {
	rt := testRuntime(t)
	for _, name := range []string{"nothing.onnx", "nan.onnx", "infinite.onnx"} {
		d, err := openTestModel(t, rt, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := detect(t, d.NewStream(), goldenPicture(640, 480)); got.Primary != -1 || got.Track != 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
		if _, err := d.NewStream().Detect(context.Background(), grey(64, 64, 0), 0, false); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: error %v after Close, want ErrClosed", name, err)
		}
	}
}

func TestPortraitsAreFound(t *testing.T) {
	d := openShared(t, DefaultConfig())
	if d.Name() != current.name {
		t.Errorf("name %q", d.Name())
	}
	var hits, n int
	var marks float64
	for i, p := range portraits(t, 60, 20) {
		img := grey(640, 480, 90)
		x, y := (37*i)%190, (11*i)%32
		paste(img, loadPortrait(t, p), x, y)
		got := detect(t, d.NewStream(), img)
		n++
		if got.Primary < 0 {
			t.Logf("%s: no face", p.file)
			continue
		}
		f := got.Faces[got.Primary]
		want := liveproof.Box{X1: p.box.X1 + float32(x), Y1: p.box.Y1 + float32(y), X2: p.box.X2 + float32(x), Y2: p.box.Y2 + float32(y)}
		if iou := f.Box.IoU(want); iou < 0.5 {
			t.Logf("%s: IoU %.2f", p.file, iou)
			continue
		}
		hits++
		marks += landmarkError(f, p.marks, float32(x), float32(y))
	}
	t.Logf("%d of %d portraits found, landmarks off by %.1f %% of the box", hits, n, 100*marks/float64(hits))
	if hits < n*95/100 {
		t.Errorf("%d of %d portraits found with IoU ≥ 0.5, want 95 %%", hits, n)
	}
	if marks/float64(hits) > 0.06 {
		t.Errorf("landmarks off by %.3f of the box's longer side, want ≤ 0.06", marks/float64(hits))
	}
}

// landmarkError is the mean distance of the landmarks in longer sides of the box.
func landmarkError(f liveproof.Face, want liveproof.Landmarks, x, y float32) (sum float64) {
	for i, p := range f.Landmarks {
		sum += math.Hypot(float64(p.X-want[i].X-x), float64(p.Y-want[i].Y-y)) / float64(len(want))
	}
	return sum / float64(longerSide(f.Box))
}

func TestHostilePictures(t *testing.T) {
	d := openShared(t, DefaultConfig())
	portrait := loadPortrait(t, portraits(t, 2, 1)[1])
	large := grey(1920, 1920, 60)
	paste(large, portrait, 700, 700)
	tests := []struct {
		name  string
		img   *liveproof.Image
		faces int
	}{
		{"one pixel", grey(1, 1, 9), 0},
		{"column", grey(1, 1920, 9), 0},
		{"row", grey(1920, 1, 9), 0},
		{"long row", grey(30000, 2, 9), 0},
		{"black", grey(640, 480, 0), 0},
		{"white", grey(640, 480, 255), 0},
		{"pattern", goldenPicture(640, 480), 0},
		{"largest", large, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := detect(t, d.NewStream(), tt.img); len(got.Faces) != tt.faces {
				t.Errorf("%+v, want %d faces", got, tt.faces)
			}
		})
	}
}

// Many sessions share one network and must not mix their pictures up.
func TestSessionsShareOneNetwork(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Parallel = 2
	d := openShared(t, cfg)
	var group sync.WaitGroup
	for i, p := range portraits(t, 6, 50) {
		img := loadPortrait(t, p)
		want := detect(t, d.NewStream(), img)
		group.Go(func() {
			s := d.NewStream()
			for range 5 {
				got, err := s.Detect(context.Background(), img, 0, false)
				if err != nil || len(got.Faces) != len(want.Faces) || got.Track != want.Track ||
					got.Primary >= 0 && got.Faces[got.Primary].Box != want.Faces[want.Primary].Box {
					t.Errorf("portrait %d: %+v, %v; alone it was %+v", i, got, err, want)
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkDetect searches a sample of 640×480: whole, in a region of either size,
// and on average while a face is followed at 5 samples a second.
func BenchmarkDetect(b *testing.B) {
	whole := DefaultConfig()
	whole.Follow.Every = 0
	small, large := DefaultConfig(), DefaultConfig()
	small.Follow.Every = time.Minute
	large.Follow = FollowConfig{Every: time.Minute, Regions: large.Follow.Regions[1:]}
	img := grey(640, 480, 90)
	paste(img, halved(loadPortrait(b, portraits(b, 2, 1)[1])), 90, 20)
	for _, bb := range []struct {
		name string
		cfg  Config
	}{
		{"whole", whole}, {"region=" + small.Follow.Regions[0].String(), small}, {"region=" + large.Follow.Regions[0].String(), large},
		{"following", DefaultConfig()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := openShared(b, bb.cfg).NewStream()
			b.ReportAllocs()
			for b.Loop() {
				detect(b, s, img)
			}
		})
	}
}
