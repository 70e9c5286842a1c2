package detector

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/liveproof/liveproof"
)

// scene has fake finders that know where the faces are: one for whole pictures, and one for
// regions, which finds the faces inside the region.
type scene struct {
	img    *liveproof.Image
	faces  []liveproof.Face
	broken error // of regions
	log    strings.Builder
}

func (s *scene) close() error { return nil }

func (s *scene) find(_ context.Context, img *liveproof.Image) (found []liveproof.Face, err error) {
	whole := img == s.img
	if whole {
		s.log.WriteString("W")
	} else {
		s.log.WriteString("r")
		err = s.broken
	}
	// The number of bytes from its first pixel to the end tells where the region lies in the picture.
	offset := len(s.img.Pix) - len(img.Pix)
	x, y := float32(offset%s.img.Stride/3), float32(offset/s.img.Stride)
	for _, f := range s.faces {
		b := liveproof.Box{X1: f.Box.X1 - x, Y1: f.Box.Y1 - y, X2: f.Box.X2 - x, Y2: f.Box.Y2 - y}
		if cx, cy := centre(b); cx >= 0 && cy >= 0 && cx < float32(img.Width) && cy < float32(img.Height) {
			found = append(found, liveproof.Face{Box: b, Confidence: f.Confidence})
		}
	}
	return found, err
}

// moment is one picture of a case.
type moment struct {
	ms       int
	faces    []liveproof.Face
	img      *liveproof.Image // nil: the usual one
	thorough bool
}

// every gives n pictures with the same faces, one each step ms from the time from.
func every(n, from, step int, faces ...liveproof.Face) (out []moment) {
	for i := range n {
		out = append(out, moment{ms: from + i*step, faces: faces})
	}
	return out
}

func TestFollower(t *testing.T) {
	person, unsure := at(100, 100, 120), at(100, 100, 120)
	unsure.Confidence = 0.8
	near, far := at(205, 100, 100), at(480, 300, 100) // inside the region, and outside
	small := grey(320, 240, 90)
	usual := pattern(1)
	then := func(first []moment, more ...moment) []moment { return append(first, more...) }
	start := every(2, 0, 200, person)
	tests := []struct {
		name    string
		moments []moment
		want    string // W a whole picture, r a region, rW both
		persons int    // in the last picture
		track   int
	}{
		{"at rest", every(12, 0, 200, person), "W r r r r W r r r r W r", 1, 1},
		{"pictures a little late", every(7, 0, 201, person), "W r r r r W r", 1, 1},
		{"pictures a little early", every(7, 0, 199, person), "W r r r r W r", 1, 1},
		{"few pictures", every(4, 0, 700, person), "W W W W", 1, 1},
		{"many pictures", every(13, 0, 100, person), "W r r r r r r r r r W r r", 1, 1},
		{"a gap", then(start, every(2, 2500, 200, person)...), "W r W r", 1, 1},
		{"time stands still", every(3, 0, 0, person), "W W W", 1, 1},
		{"time runs back", then(start, moment{ms: 100, faces: start[0].faces}), "W r W", 1, 1},
		{"the caller asks", then(start, moment{ms: 400, faces: start[0].faces, thorough: true}, moment{ms: 600, faces: start[0].faces}),
			"W r W r", 1, 1},
		{"nobody", every(3, 0, 200), "W W W", 0, 0},
		{"goes away and comes back", then(start, moment{ms: 400}, moment{ms: 600, faces: start[0].faces}, moment{ms: 800, faces: start[0].faces}),
			"W r rW W r", 1, 1},
		{"two persons", every(3, 0, 200, person, far), "W W W", 2, 1},
		{"a second one beside", then(start, every(2, 400, 200, person, near)...), "W r rW W", 2, 1},
		{"a second one far off", then(start, every(4, 400, 200, person, far)...), "W r r r r W", 2, 1},
		{"the second one goes", then(every(1, 0, 200, person, far), every(3, 200, 200, person)...), "W W r r", 1, 1},
		{"hardly a face", then(start, moment{ms: 400, faces: []liveproof.Face{unsure}}), "W r rW", 1, 1},
		{"moves a little", then(start, every(2, 400, 200, at(112, 95, 120))...), "W r r r", 1, 1},
		{"moves far", then(start, every(2, 400, 200, at(140, 100, 120))...), "W r rW r", 1, 1},
		{"somebody elsewhere", then(start, every(2, 400, 200, far)...), "W r rW r", 1, 2},
		{"grows a little", then(start, every(2, 400, 200, at(94, 94, 132))...), "W r r r", 1, 1},
		{"grows much", then(start, every(2, 400, 200, at(85, 85, 150))...), "W r rW r", 1, 1},
		{"reaches the region's edge", then(every(2, 0, 200, at(200, 100, 230)), moment{ms: 400, faces: []liveproof.Face{at(244, 100, 230)}}),
			"W r rW", 1, 1},
		{"reaches the picture's edge", every(3, 0, 200, at(-5, 0, 120)), "W r r", 1, 1},
		{"too large for the smaller region", every(2, 0, 200, at(100, 100, 250)), "W r", 1, 1},
		{"too large for a region", every(2, 0, 200, at(100, 20, 400)), "W W", 1, 1},
		{"another size of picture", then(start, moment{ms: 400, img: small, faces: start[0].faces}), "W r W", 1, 2},
		{"another person in the same place", then(start, moment{ms: 400, img: pattern(5), faces: start[0].faces}), "W r rW", 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := new(scene)
			d := newDetector(DefaultConfig(), "scene", s, NewMetrics(nil))
			for _, size := range d.cfg.Follow.Regions {
				d.nearby = append(d.nearby, nearby{s, size})
			}
			stream := d.NewStream()
			var got liveproof.Detection
			for i, m := range tt.moments {
				if s.img = m.img; m.img == nil {
					s.img = usual
				}
				if s.faces = m.faces; i > 0 {
					s.log.WriteString(" ")
				}
				var err error
				if got, err = stream.Detect(t.Context(), s.img, time.Duration(m.ms)*time.Millisecond, m.thorough); err != nil {
					t.Fatal(err)
				}
			}
			if s.log.String() != tt.want || len(got.Faces) != tt.persons || got.Track != tt.track {
				t.Errorf("searches %s, %d persons, track %d at the end; want %s, %d and %d",
					&s.log, len(got.Faces), got.Track, tt.want, tt.persons, tt.track)
			}
		})
	}
}

// A failed search of a region is an error, and does not count as a search of the picture. The
// searches are counted.
func TestFollowerErrors(t *testing.T) {
	s := &scene{img: pattern(1), faces: []liveproof.Face{at(100, 100, 120)}}
	d := newDetector(DefaultConfig(), "scene", s, NewMetrics(nil))
	d.nearby = []nearby{{s, Size{128, 160}}}
	stream := d.NewStream()
	detect(t, stream, s.img)
	s.broken = errors.New("broken")
	got, err := stream.Detect(t.Context(), s.img, 400*time.Millisecond, false)
	if !errors.Is(err, s.broken) || got.Primary != -1 || got.Track != 0 {
		t.Errorf("%+v, %v; want the error and nobody", got, err)
	}
	s.broken = nil
	if got := detect(t, stream, s.img); got.Track != 1 {
		t.Errorf("track %d after the error, want the old one", got.Track)
	}
	if n := testutil.ToFloat64(d.met.regions); n != 2 {
		t.Errorf("%v regions counted, want 2", n)
	}
	if n := testutil.ToFloat64(d.met.wholes.WithLabelValues(string(doubtNobody))); n != 1 {
		t.Errorf("%v whole pictures counted, want 1", n)
	}
}

// Without regions, and for the Haar cascade, every picture is searched as a whole.
func TestFollowingOff(t *testing.T) {
	s := &scene{img: pattern(1), faces: []liveproof.Face{at(100, 100, 120)}}
	stream := newDetector(DefaultConfig(), "scene", s, NewMetrics(nil)).NewStream()
	for range 4 {
		detect(t, stream, s.img)
	}
	if s.log.String() != "WWWW" {
		t.Errorf("searches %s, want WWWW", &s.log)
	}
}
