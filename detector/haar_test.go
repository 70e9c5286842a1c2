package detector

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liveproof/liveproof"
)

// openTestHaar opens the fallback, or skips the test where opencv-data is missing.
func openTestHaar(t *testing.T, log *slog.Logger) *Detector {
	t.Helper()
	cfg := DefaultConfig()
	if _, err := os.Stat(cfg.Cascade); err != nil {
		t.Skipf("%s is missing (Debian's opencv-data)", cfg.Cascade)
	}
	d, err := Open(cfg, nil, nil, NewMetrics(nil), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestHaarWarnsOnce(t *testing.T) {
	var out bytes.Buffer
	d := openTestHaar(t, slog.New(slog.NewTextHandler(&out, nil)))
	if d.Name() != "haar" {
		t.Errorf("name %q", d.Name())
	}
	for range 3 {
		detect(t, d.NewStream(), grey(64, 48, 100))
	}
	if n := strings.Count(out.String(), "level=WARN"); n != 1 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%d warnings, want one line:\n%s", n, out.String())
	}
}

func TestHaarFindsPortraits(t *testing.T) {
	d := openTestHaar(t, quiet())
	hits, n := 0, 0
	for _, p := range portraits(t, 20, 60) {
		n++
		got := detect(t, d.NewStream(), loadPortrait(t, p))
		if got.Primary < 0 {
			continue
		}
		f := got.Faces[got.Primary]
		if f.Landmarks != nil {
			t.Errorf("%s: landmarks from a cascade", p.file)
		}
		if f.Box.IoU(p.box) >= 0.5 {
			hits++
		}
	}
	t.Logf("%d of %d portraits found", hits, n)
	if hits < n*3/4 {
		t.Errorf("%d of %d portraits found with IoU ≥ 0.5, want three quarters", hits, n)
	}
}

func TestHaarHostilePictures(t *testing.T) {
	d := openTestHaar(t, quiet())
	for _, img := range []*liveproof.Image{
		grey(1, 1, 0), grey(1920, 1, 0), grey(1, 1920, 0), grey(36, 36, 0), grey(1920, 1920, 128), goldenPicture(100, 700),
	} {
		detect(t, d.NewStream(), img)
	}
}

func TestNoDetectorAtAll(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg := DefaultConfig()
	for _, path := range []string{
		"", dir, filepath.Join(dir, "missing.xml"), "config.go",
		write("empty.xml", ""),
		write("cut.xml", "<?xml version=\"1.0\"?><opencv_storage><cascade><stages><_>"),
		write("other.xml", "<?xml version=\"1.0\"?><html><cascade><stages><_/></stages></cascade></html>"),
		write("bare.xml", "<?xml version=\"1.0\"?><opencv_storage><cascade></cascade></opencv_storage>"),
		write("hollow.xml", "<?xml version=\"1.0\"?><opencv_storage><cascade type_id=\"opencv-cascade-classifier\"><stages><_></_></stages></cascade></opencv_storage>"),
	} {
		cfg.Cascade = path
		if _, err := Open(cfg, nil, nil, NewMetrics(nil), quiet()); !errors.Is(err, ErrNoDetector) {
			t.Errorf("cascade %q: %v, want ErrNoDetector", path, err)
		}
	}
}
