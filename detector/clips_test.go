package detector

import (
	"fmt"
	"slices"
	"testing"

	"github.com/liveproof/liveproof"
)

const (
	personA  = "person_A_640x480.mjpeg"
	personB  = "person_B_640x480.mjpeg"
	personC  = "person_C_640x480.mjpeg"
	headpose = "headpose_640x480.mjpeg"
)

// perSample is the step between the clips' pictures for 5 a second of 30.
const perSample = 6

// spread is the least, the median and the greatest of some values.
func spread(v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	v = slices.Sorted(slices.Values(v))
	return fmt.Sprintf("%.2f %.2f %.2f", v[0], v[len(v)/2], v[len(v)-1])
}

// Real people before a webcam must mostly be scored, and must be followed.
func TestClipsAreScored(t *testing.T) {
	tests := []struct {
		file      string
		minScored float64 // share of the samples
		maxTracks int     // the person clips are cut together from several takes
	}{
		{personA, 0.95, 5},
		{personB, 0.95, 3},
		{personC, 0.9, 3},
		{headpose, 0.65, 1}, // turns to both profiles again and again
		{"asl_again.mkv", 0.9, 1},
		{"asl_brother.mkv", 0.9, 1}, // its T-shirt shows a skull that is found as a face
		{"asl_please.mkv", 0.5, 1},  // from here on near or below the smallest size
		{"asl_bird.mkv", 0.5, 1},
		{"asl_book.mkv", 0, 1},
		{"asl_walk.mkv", 0, 1},
	}
	d, cropper, pool := openShared(t, DefaultConfig()), newTestCropper(t), new(liveproof.ImagePool)
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			m := measure(t, d.NewStream(), cropper, pool, clip(t, tt.file, perSample))
			t.Logf("%d samples, %d scored, %d tracks, %v\nsize %s  blur %s  exposure %s  clipped %s  yaw %s  pitch %s  weight %s",
				m.n, len(m.weight), m.tracks, m.reasons, spread(m.size), spread(m.blur), spread(m.exposure), spread(m.clipped),
				spread(m.yaw), spread(m.pitch), spread(m.weight))
			if share := float64(len(m.weight)) / float64(m.n); share < tt.minScored {
				t.Errorf("%.2f of the samples may be scored, want %.2f: %v", share, tt.minScored, m.reasons)
			}
			if m.tracks > tt.maxTracks || m.others > 0 {
				t.Errorf("%d tracks, want at most %d; %d samples with other faces, want 0", m.tracks, tt.maxTracks, m.others)
			}
		})
	}
}

type measures struct {
	n, tracks, others                                 int
	size, blur, exposure, clipped, yaw, pitch, weight []float64
	reasons                                           map[liveproof.Reason]int
}

func measure(tb testing.TB, s *Stream, c *Cropper, pool *liveproof.ImagePool, images []*liveproof.Image) measures {
	tb.Helper()
	m := measures{n: len(images), reasons: map[liveproof.Reason]int{}}
	for _, img := range images {
		d := detect(tb, s, img)
		if d.Primary < 0 {
			m.reasons[liveproof.ReasonNoFace]++
			continue
		}
		m.tracks = max(m.tracks, d.Track)
		if len(d.Faces) > 1 {
			m.others++
		}
		m.add(tb, c, pool, img, d.Faces[d.Primary])
	}
	return m
}

func (m *measures) add(tb testing.TB, c *Cropper, pool *liveproof.ImagePool, img *liveproof.Image, f liveproof.Face) {
	tb.Helper()
	crop, err := c.Crop(img, f, pool)
	if err != nil {
		tb.Fatal(err)
	}
	defer crop.Release()
	q := c.Assess(img, crop, f)
	m.size, m.blur, m.exposure = append(m.size, q.Size), append(m.blur, q.Blur), append(m.exposure, q.Exposure)
	m.clipped, m.yaw, m.pitch = append(m.clipped, q.Clipped), append(m.yaw, q.Yaw), append(m.pitch, q.Pitch)
	for _, r := range q.Reasons {
		m.reasons[r]++
	}
	if len(q.Reasons) == 0 {
		m.weight = append(m.weight, q.Weight)
	}
}

// Another person instead of the one before must be another track, also when the
// face appears in exactly the same place.
func TestSwappedPersonIsNoticed(t *testing.T) {
	d := openShared(t, DefaultConfig())
	sets := map[string][]*liveproof.Image{}
	for _, name := range []string{personA, personB, personC, headpose} {
		sets[name] = clip(t, name, perSample)[:12]
	}
	for _, pair := range [][2]string{
		{personA, personC}, {personC, personA}, {personB, personC}, {personC, personB}, {personA, headpose}, {headpose, personB},
	} {
		t.Run(pair[0]+" to "+pair[1], func(t *testing.T) {
			before, after := sets[pair[0]], sets[pair[1]]
			s := d.NewStream()
			var last liveproof.Detection
			for _, img := range before {
				last = detect(t, s, img)
			}
			moved := inPlace(t, d, after[0], last.Faces[last.Primary].Box)
			if got := detect(t, s, moved); got.Track != last.Track+1 {
				t.Errorf("track %d after the swap, want %d", got.Track, last.Track+1)
			}
		})
	}
}

// inPlace scales and shifts img so that its face lies in box.
func inPlace(tb testing.TB, d *Detector, img *liveproof.Image, box liveproof.Box) *liveproof.Image {
	tb.Helper()
	det := detect(tb, d.NewStream(), img)
	from := det.Faces[det.Primary].Box
	scale := longerSide(from) / longerSide(box)
	fx, fy := centre(from)
	tx, ty := centre(box)
	out := liveproof.NewImage(img.Width, img.Height)
	for y := range out.Height {
		for x := range out.Width {
			sx := clampInt(int((float32(x)-tx)*scale+fx), img.Width)
			sy := clampInt(int((float32(y)-ty)*scale+fy), img.Height)
			copy(out.Pix[y*out.Stride+3*x:][:3], img.Pix[sy*img.Stride+3*sx:][:3])
		}
	}
	return out
}

// What a webcam gives in bad light or out of focus is not scored.
func TestSpoiltClipIsNotScored(t *testing.T) {
	d, cropper, pool := openShared(t, DefaultConfig()), newTestCropper(t), new(liveproof.ImagePool)
	images := clip(t, personB, 60)
	tests := []struct {
		name  string
		spoil func(*liveproof.Image) *liveproof.Image
		want  []liveproof.Reason // one of them or no face
	}{
		{"dark", func(m *liveproof.Image) *liveproof.Image { return mapped(m, func(v int) int { return v / 5 }) },
			[]liveproof.Reason{liveproof.ReasonTooDark}},
		{"overexposed", func(m *liveproof.Image) *liveproof.Image { return mapped(m, func(v int) int { return 2*v + 40 }) },
			[]liveproof.Reason{liveproof.ReasonOverexposed}},
		{"blurred", func(m *liveproof.Image) *liveproof.Image { return boxBlurred(m, 6) }, []liveproof.Reason{liveproof.ReasonBlurred}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var spoilt []*liveproof.Image
			for _, img := range images {
				spoilt = append(spoilt, tt.spoil(img))
			}
			m := measure(t, d.NewStream(), cropper, pool, spoilt)
			t.Logf("%v; blur %s exposure %s clipped %s", m.reasons, spread(m.blur), spread(m.exposure), spread(m.clipped))
			known := m.reasons[liveproof.ReasonNoFace]
			for _, r := range tt.want {
				known += m.reasons[r]
			}
			if len(m.weight) > 0 || known < m.n {
				t.Errorf("%d of %d scored, reasons %v; want %v", len(m.weight), m.n, m.reasons, tt.want)
			}
		})
	}
}

func mapped(src *liveproof.Image, f func(int) int) *liveproof.Image {
	img := liveproof.NewImage(src.Width, src.Height)
	for i, v := range src.Pix {
		img.Pix[i] = byte(max(0, min(255, f(int(v)))))
	}
	return img
}

// boxBlurred averages over squares of 2r+1 pixels, by rows and then by columns.
func boxBlurred(src *liveproof.Image, r int) *liveproof.Image {
	mean := func(src *liveproof.Image, dx, dy int) *liveproof.Image {
		img := liveproof.NewImage(src.Width, src.Height)
		for y := range src.Height {
			for i := range 3 * src.Width {
				sum := 0
				for k := -r; k <= r; k++ {
					x := clampInt(i/3+k*dx, src.Width)
					sum += int(src.Pix[clampInt(y+k*dy, src.Height)*src.Stride+3*x+i%3])
				}
				img.Pix[y*img.Stride+i] = byte(sum / (2*r + 1))
			}
		}
		return img
	}
	return mean(mean(src, 1, 0), 0, 1)
}
