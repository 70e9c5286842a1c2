package detector

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
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

// agreement between a stream that follows and one that searches every whole picture.
type agreement struct {
	samples   int
	iou       []float64 // of each box found in a region with that of the whole picture
	marks     []float64 // greatest distance between their landmarks, as a share of the box's longer side
	different []string  // pictures in which the faces or the track differ
}

func (a *agreement) add(b agreement) {
	a.samples += b.samples
	a.iou, a.marks = append(a.iou, b.iou...), append(a.marks, b.marks...)
}

func (a agreement) String() string {
	return fmt.Sprintf("%3d of %3d by region; IoU least %.3f, 1 %% %.3f, median %.3f; landmarks apart most %.3f, median %.3f",
		len(a.iou), a.samples, quantile(a.iou, 0), quantile(a.iou, .01), quantile(a.iou, .5), quantile(a.marks, 1), quantile(a.marks, .5))
}

func compare(tb testing.TB, d *Detector, images []*liveproof.Image) agreement {
	tb.Helper()
	a := agreement{samples: len(images)}
	following, whole := d.NewStream(), d.NewStream()
	for i, img := range images {
		got := detect(tb, following, img)
		want, err := whole.Detect(tb.Context(), img, following.follower.last, true)
		if err != nil {
			tb.Fatal(err)
		}
		if got.Track != want.Track || len(got.Faces) != len(want.Faces) {
			a.different = append(a.different, fmt.Sprintf("%d: track %d, %d faces; want track %d, %d faces",
				i, got.Track, len(got.Faces), want.Track, len(want.Faces)))
			continue
		}
		if following.follower.full < following.follower.last {
			f, g := want.Faces[want.Primary], got.Faces[got.Primary]
			a.iou = append(a.iou, float64(f.Box.IoU(g.Box)))
			a.marks = append(a.marks, farthest(f, g)/float64(longerSide(f.Box)))
		}
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

// quantile is the value below which the share q of v lies; NaN without values.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1))]
}

// The least agreement of a face found in a region with the same one found in the whole
// picture. Measured over 856 regions: IoU 0.919 at least, 0.980 in the median; landmarks
// 3.7 % of the box's longer side apart at most, 1.0 % in the median. Where OpenVINO computes in bf16, one of 857
// regions reaches only 0.884, because its boxes have 8 bits.
const (
	leastIoU   = 0.9
	mostApart  = 0.05
	leastShare = 0.7 // of the pictures are searched by region; four of five would be 0.8
)

// Following gives the faces, boxes and landmarks that searches of whole pictures give,
// and the same tracks.
func TestFollowingAgreesWithWholeSearches(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Provider = onnx.ProviderCPU // the same arithmetic on every machine
	d := openShared(t, cfg)
	var all agreement
	for _, pattern := range filmed {
		paths, err := filepath.Glob(filepath.Join(sharedFile(t, "media"), pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v %v", pattern, paths, err)
		}
		for _, path := range paths {
			images := sampled(t, path)
			if os.Getenv("TEST_THOROUGH") == "" { // make test-thorough
				images = images[:min(len(images), 30)]
			}
			a := compare(t, d, images)
			t.Logf("%-28s %v", filepath.Base(path), a)
			for _, line := range a.different {
				t.Errorf("%s: picture %s", filepath.Base(path), line)
			}
			all.add(a)
		}
	}
	t.Logf("%-28s %v", "all", all)
	if len(all.iou) == 0 || quantile(all.iou, 0) < leastIoU || quantile(all.marks, 1) > mostApart {
		t.Errorf("%v; want an IoU of %v at least, landmarks %v apart at most", all, leastIoU, mostApart)
	}
	if share := float64(len(all.iou)) / float64(all.samples); share < leastShare {
		t.Errorf("%.2f of the pictures by region, want %v", share, leastShare)
	}
}

// A second face that comes into the picture beside the followed one is seen within
// a second, whenever it comes.
func TestSecondFaceIsSeenWithinASecond(t *testing.T) {
	d := openShared(t, DefaultConfig())
	images := clip(t, personA, perSample)[:24]
	other := halved(loadPortrait(t, portraits(t, 2, 1)[1]))
	for enters := 1; enters <= 10; enters++ {
		s, seen := d.NewStream(), -1
		for i, img := range images {
			if i >= enters {
				img = beside(t, d, img, other)
			}
			got := detect(t, s, img)
			switch {
			case len(got.Faces) > 1 && i < enters:
				t.Fatalf("picture %d shows one person, %d seen", i, len(got.Faces))
			case len(got.Faces) > 1 && seen < 0:
				seen = i
			case len(got.Faces) < 2 && seen >= 0:
				t.Errorf("entered at %d: lost at %d", enters, i)
			}
		}
		if seen < 0 || seen-enters > 5 {
			t.Errorf("entered at picture %d, seen at %d; want within 5", enters, seen)
		}
	}
}

// beside is img with src pasted on the side where img's face leaves more room.
func beside(tb testing.TB, d *Detector, img, src *liveproof.Image) *liveproof.Image {
	tb.Helper()
	found := detect(tb, d.NewStream(), img)
	out := liveproof.NewImage(img.Width, img.Height)
	copy(out.Pix, img.Pix)
	if x, _ := centre(found.Faces[found.Primary].Box); x > float32(img.Width)/2 {
		paste(out, src, 0, 40)
	} else {
		paste(out, src, img.Width-src.Width, 40)
	}
	return out
}

// halved leaves out every other row and column.
func halved(src *liveproof.Image) *liveproof.Image {
	out := liveproof.NewImage(src.Width/2, src.Height/2)
	for y := range out.Height {
		for x := range out.Width {
			copy(out.Pix[y*out.Stride+3*x:][:3], src.Pix[2*y*src.Stride+6*x:])
		}
	}
	return out
}
