package detector

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
)

// filmed are the clips of the shared folder that show a face.
var filmed = []string{"person_*.mjpeg", "headpose_*.mjpeg", "asl_*.mkv", "people/*.mp4", "hostile/*.mp4"}

// sampled decodes 5 pictures a second of a video of any size with FFmpeg.
func sampled(tb testing.TB, path string) (images []*liveproof.Image) {
	tb.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		tb.Skip("ffmpeg is missing")
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-vf", "fps=5", "-f", "image2pipe", "-c:v", "ppm", "-").Output()
	if err != nil {
		tb.Fatalf("ffmpeg %s: %v", path, err)
	}
	for r := bytes.NewReader(out); ; {
		var w, h, most int
		if _, err := fmt.Fscanf(r, "P6\n%d %d\n%d\n", &w, &h, &most); err != nil {
			return images
		}
		img := liveproof.NewImage(w, h)
		if _, err := io.ReadFull(r, img.Pix); err != nil {
			tb.Fatal(err)
		}
		images = append(images, img)
	}
}

// agreement compares a stream that follows with one that searches every picture as a whole.
type agreement struct {
	samples, regions int
	iou              []float64
	marks            []float64 // greatest distance of a landmark, in longer sides of the box
	wholes           map[doubt]int
	different        []string
}

func (a *agreement) add(b agreement) {
	a.samples, a.regions = a.samples+b.samples, a.regions+b.regions
	a.iou, a.marks = append(a.iou, b.iou...), append(a.marks, b.marks...)
}

func compare(tb testing.TB, d *Detector, images []*liveproof.Image) agreement {
	tb.Helper()
	a := agreement{samples: len(images), wholes: map[doubt]int{}}
	following, whole := d.NewStream(), d.NewStream()
	for i, img := range images {
		at := time.Duration(i) * time.Second / 5
		before := following.follower.full
		got, err := following.Detect(context.Background(), img, at, false)
		if err != nil {
			tb.Fatal(err)
		}
		want, err := whole.Detect(context.Background(), img, at, true)
		if err != nil {
			tb.Fatal(err)
		}
		if got.Track != want.Track || len(got.Faces) != len(want.Faces) {
			a.different = append(a.different, fmt.Sprintf("%d: track %d, %d faces; want track %d, %d faces",
				i, got.Track, len(got.Faces), want.Track, len(want.Faces)))
			continue
		}
		if i == 0 || before != following.follower.full || got.Primary < 0 {
			continue
		}
		a.regions++
		f, g := want.Faces[want.Primary], got.Faces[got.Primary]
		a.iou = append(a.iou, float64(f.Box.IoU(g.Box)))
		a.marks = append(a.marks, farthest(f, g)/float64(longerSide(f.Box)))
	}
	return a
}

// farthest is the greatest distance between the faces' landmarks.
func farthest(a, b liveproof.Face) (most float64) {
	for i, p := range a.Landmarks {
		q := b.Landmarks[i]
		most = max(most, math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y)))
	}
	return most
}

func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1))]
}

// Following gives the boxes and the landmarks that a search of the whole picture gives,
// and the same tracks.
func TestFollowingAgreesWithWholeSearches(t *testing.T) {
	d := openShared(t, DefaultConfig())
	var all agreement
	for _, pattern := range filmed {
		paths, err := filepath.Glob(sharedFile(t, "media") + "/" + pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v %v", pattern, paths, err)
		}
		for _, path := range paths {
			a := compare(t, d, sampled(t, path))
			all.add(a)
			if len(a.iou) == 0 {
				a.iou, a.marks = []float64{1}, []float64{0}
			}
			t.Logf("%-30s %3d of %3d by region; IoU least %.3f, median %.3f; landmarks most %.3f, median %.3f",
				filepath.Base(path), a.regions, a.samples, quantile(a.iou, 0), quantile(a.iou, .5), quantile(a.marks, 1), quantile(a.marks, .5))
			for _, line := range a.different {
				t.Errorf("%s: %s", filepath.Base(path), line)
			}
		}
	}
	t.Logf("all: %d of %d by region; IoU least %.3f, 1 %% %.3f, 5 %% %.3f, median %.3f; landmarks most %.3f, 99 %% %.3f, median %.3f",
		all.regions, all.samples, quantile(all.iou, 0), quantile(all.iou, .01), quantile(all.iou, .05), quantile(all.iou, .5),
		quantile(all.marks, 1), quantile(all.marks, .99), quantile(all.marks, .5))
}
