package identity_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/identity"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/onnx"
)

// go test ./identity -run TestStudy -study FILE.csv writes the comparisons that scripts/plot_identity.py plots.
var study = flag.String("study", "", "a file for the study's comparisons; without it the study is left out")

// filmed is a person. Thresholds were chosen on the people with chosen set.
type filmed struct {
	who, clip string
	chosen    bool
	from, to  time.Duration // one shot of the clip
}

var cast = []filmed{
	{who: "A", clip: "person_A_640x480.mjpeg", from: 4900 * time.Millisecond, to: 8800 * time.Millisecond},
	{who: "B", clip: "person_B_640x480.mjpeg", to: 9 * time.Second},
	{who: "C", clip: "person_C_640x480.mjpeg", chosen: true, to: 8 * time.Second},
	{who: "H", clip: "headpose_640x480.mjpeg", chosen: true, from: 1400 * time.Millisecond, to: 9 * time.Second},
	{who: "d13", clip: "people/person_d13.mp4", to: 9 * time.Second},
	{who: "d19", clip: "people/person_d19.mp4", to: 9 * time.Second},
	{who: "d6", clip: "people/person_d6.mp4", chosen: true, to: 9 * time.Second},
	{who: "d9", clip: "people/person_d9.mp4", chosen: true, to: 9 * time.Second},
	{who: "s18", clip: "people/person_s18.mp4", to: 9 * time.Second},
}

const (
	every   = 400 * time.Millisecond // from view to view
	settled = 750 * time.Millisecond // views that are older than this are compared
	oldest  = 6 * time.Second        // and none older than this
)

// moment is one view of a person, as it was filmed and after a nuisance.
type moment struct {
	t        time.Duration
	sight    identity.Sight
	vector   identity.Vector
	nuisance string
	spoiled  *moment
}

// nuisances change how a person looks without changing the person; each view gets one of them.
var nuisances = []struct {
	name  string
	apply func(*liveproof.Image, liveproof.Landmarks)
}{
	{"spectacles", spectacles},
	{"darker", func(img *liveproof.Image, _ liveproof.Landmarks) { levels(img, [3]float64{0.55, 0.55, 0.55}, 1) }},
	{"gamma", func(img *liveproof.Image, _ liveproof.Landmarks) { levels(img, [3]float64{1, 1, 1}, 0.6) }},
	{"warm light", func(img *liveproof.Image, _ liveproof.Landmarks) { levels(img, [3]float64{1.15, 0.95, 0.65}, 1) }},
	{"light from a side", func(img *liveproof.Image, _ liveproof.Landmarks) { slanted(img) }},
	{"low contrast", func(img *liveproof.Image, _ liveproof.Landmarks) { faint(img) }},
	{"coarse encoding", func(img *liveproof.Image, _ liveproof.Landmarks) { coarse(img) }},
}

func TestStudy(t *testing.T) {
	if *study == "" {
		t.Skip("the study needs -study FILE")
	}
	shared := os.Getenv("LIVEPROOF_SHARED")
	faces, err := engine.OpenFaces(engine.DefaultConfig(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, faces.Close()) }()
	rt, err := onnx.Open(onnx.DefaultConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, rt.Close()) }()
	file, err := os.ReadFile(filepath.Join(shared, "models/face_embedding_112.onnx"))
	require.NoError(t, err)
	who, err := identity.Open(identity.DefaultConfig(), rt, file, identity.NewMetrics(nil), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, who.Close()) }()
	seen := map[string][]moment{}
	for _, f := range cast {
		seen[f.who] = moments(t, faces, who, filepath.Join(shared, "media", f.clip), f)
		t.Log(f.who, len(seen[f.who]))
	}
	to, err := os.Create(*study)
	require.NoError(t, err)
	out := csv.NewWriter(to)
	require.NoError(t, out.Write([]string{"who", "with", "half", "nuisance", "t", "likeness", "scene", "cosine"}))
	for _, f := range cast {
		compareAll(t, out, f, seen)
	}
	out.Flush()
	require.NoError(t, errors.Join(out.Error(), to.Close()))
}

// compareAll writes the comparisons of each view of a person with earlier ones, and with all of each other person's of the same half.
func compareAll(t *testing.T, out *csv.Writer, f filmed, seen map[string][]moment) {
	half := map[bool]string{true: "chosen on", false: "reported"}[f.chosen]
	write := func(m moment, with string, sights []identity.Sight, first identity.Vector) {
		person, scene := m.sight.Nearest(sights)
		require.NoError(t, out.Write([]string{
			f.who, with, half, m.nuisance, fmt.Sprintf("%.1f", m.t.Seconds()), fmt.Sprintf("%.4f", person), fmt.Sprintf("%.4f", scene),
			fmt.Sprintf("%.4f", m.vector.Cosine(first)),
		}))
	}
	own := seen[f.who]
	for _, m := range own {
		var before []identity.Sight
		for _, o := range own {
			if o.t <= m.t-settled && o.t >= m.t-oldest {
				before = append(before, o.sight)
			}
		}
		if len(before) > 0 {
			write(m, f.who, before, own[0].vector)
			write(*m.spoiled, f.who, before, own[0].vector)
		}
		for _, g := range cast {
			if g.who != f.who && g.chosen == f.chosen && len(seen[g.who]) > 0 {
				write(m, g.who, sightsOf(seen[g.who]), seen[g.who][0].vector)
			}
		}
	}
}

func sightsOf(list []moment) (sights []identity.Sight) {
	for _, m := range list[:min(len(list), 12)] {
		sights = append(sights, m.sight)
	}
	return sights
}

// moments takes the views of one person that can be compared.
func moments(t *testing.T, faces *engine.Faces, who *identity.Identity, path string, f filmed) (list []moment) {
	file, err := media.OpenFile(media.DefaultConfig(), path)
	require.NoError(t, err)
	defer file.Close()
	stream, next := faces.Follow(), f.from
	for {
		picture, err := file.Next(t.Context())
		if errors.Is(err, io.EOF) || err == nil && picture.Time() > f.to {
			return list
		}
		require.NoError(t, err)
		at := picture.Time()
		if at >= next {
			next += every
			img, err := picture.RGB(faces.Pool())
			require.NoError(t, err)
			d, err := stream.Detect(t.Context(), img, at, true)
			require.NoError(t, err)
			if len(d.Faces) == 1 {
				list = appendView(t, list, who, liveproof.View{T: at, Image: img, Face: d.Faces[0], Track: 1})
			}
			img.Release()
		}
		picture.Release()
	}
}

func appendView(t *testing.T, list []moment, who *identity.Identity, v liveproof.View) []moment {
	m, ok := look(t, who, v, "")
	if !ok {
		return list
	}
	n := nuisances[len(list)%len(nuisances)]
	img := liveproof.NewImage(v.Image.Width, v.Image.Height)
	copy(img.Pix, v.Image.Pix)
	n.apply(img, *v.Face.Landmarks)
	v.Image = img
	spoiled, _ := look(t, who, v, n.name)
	m.spoiled = &spoiled
	return append(list, m)
}

func look(t *testing.T, who *identity.Identity, v liveproof.View, nuisance string) (m moment, ok bool) {
	s, ok := identity.See(v)
	if !ok {
		return m, false
	}
	vector, err := who.Embed(t.Context(), v)
	require.NoError(t, err)
	return moment{t: v.T, sight: s, vector: vector, nuisance: nuisance}, true
}

// spectacles draws dark frames around the eyes, their bridge, temples, and a faint tint of the lenses.
func spectacles(img *liveproof.Image, l liveproof.Landmarks) {
	ex, ey := float64(l[1].X-l[0].X), float64(l[1].Y-l[0].Y)
	apart := math.Hypot(ex, ey)
	for y := range img.Height {
		for x := range img.Width {
			// u along the line of the eyes, v across it, in distances of the eyes from their middle.
			dx, dy := float64(x)-float64(l[0].X+l[1].X)/2, float64(y)-float64(l[0].Y+l[1].Y)/2
			u, v := math.Abs(dx*ex+dy*ey)/(apart*apart), (dy*ex-dx*ey)/(apart*apart)
			around := math.Pow(math.Abs(u-0.5)/0.36, 4) + math.Pow(math.Abs(v-0.05)/0.27, 4) // a rounded rectangle
			bridge := u < 0.16 && math.Abs(v+0.06) < 0.035
			temple := u > 0.84 && u < 1.15 && math.Abs(v+0.08) < 0.035
			p := img.Pix[y*img.Stride+3*x:][:3]
			switch {
			case around > 0.6 && around < 1.25, bridge, temple:
				p[0], p[1], p[2] = 28, 24, 24
			case around <= 0.6:
				for c := range p {
					p[c] = uint8(0.88*float64(p[c]) + 12)
				}
			}
		}
	}
}

func levels(img *liveproof.Image, gains [3]float64, gamma float64) {
	for i := range img.Pix {
		img.Pix[i] = uint8(min(255, 255*math.Pow(gains[i%3]*float64(img.Pix[i])/255, gamma)))
	}
}

// faint has 0.55 of the contrast, around mid-grey.
func faint(img *liveproof.Image) {
	for i, p := range img.Pix {
		img.Pix[i] = uint8((float64(p)-128)*0.55 + 128)
	}
}

// slanted lights the right side more than the left.
func slanted(img *liveproof.Image) {
	for y := range img.Height {
		for x := range 3 * img.Width {
			p := &img.Pix[y*img.Stride+x]
			*p = uint8(min(255, float64(*p)*(0.6+0.8*float64(x)/float64(3*img.Width))))
		}
	}
}

// coarse encodes the picture as JPEG of quality 12.
func coarse(img *liveproof.Image) {
	rgba := image.NewRGBA(image.Rect(0, 0, img.Width, img.Height))
	for i := range img.Width * img.Height {
		copy(rgba.Pix[4*i:], img.Pix[3*i:3*i+3])
		rgba.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, rgba, &jpeg.Options{Quality: 12})
	decoded, _ := jpeg.Decode(&b)
	for y := range img.Height {
		for x := range img.Width {
			r, g, bl, _ := decoded.At(x, y).RGBA()
			copy(img.Pix[y*img.Stride+3*x:], []byte{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8)})
		}
	}
}
