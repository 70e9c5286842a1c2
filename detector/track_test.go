package detector

import (
	"math"
	"testing"

	"github.com/liveproof/liveproof"
)

// step is one image of a tracking case: the faces by box and confidence, and
// which of them is expected to be followed under which track.
type step struct {
	faces   []liveproof.Face
	primary int
	track   int
}

func at(x, y, side float32) liveproof.Face {
	return liveproof.Face{Box: liveproof.Box{X1: x, Y1: y, X2: x + side, Y2: y + side}, Confidence: 0.99}
}

func seen(track, primary int, faces ...liveproof.Face) step { return step{faces, primary, track} }

func gone() step { return step{nil, -1, 0} }

func TestTracker(t *testing.T) {
	shirt := at(200, 300, 160)
	shirt.Confidence = 0.8
	tests := []struct {
		name  string
		steps []step
	}{
		{"stays", []step{seen(1, 0, at(100, 100, 100)), seen(1, 0, at(103, 98, 101)), seen(1, 0, at(100, 101, 99))}},
		{"moves within the overlap", []step{seen(1, 0, at(100, 100, 100)), seen(1, 0, at(140, 100, 100)), seen(1, 0, at(180, 100, 100))}},
		{"keeps its speed", []step{seen(1, 0, at(100, 100, 100)), seen(1, 0, at(140, 100, 100)), seen(1, 0, at(210, 100, 100))}},
		{"jumps", []step{seen(1, 0, at(100, 100, 100)), seen(2, 0, at(300, 100, 100)), seen(2, 0, at(300, 100, 100))}},
		{"comes close at once", []step{seen(1, 0, at(100, 100, 100)), seen(2, 0, at(70, 70, 160))}},
		{"comes close in steps", []step{seen(1, 0, at(100, 100, 100)), seen(1, 0, at(90, 90, 120)), seen(1, 0, at(75, 75, 150))}},
		{"missing briefly", []step{seen(1, 0, at(100, 100, 100)), gone(), gone(), seen(1, 0, at(110, 100, 100))}},
		{"missing for long", []step{seen(1, 0, at(100, 100, 100)), gone(), gone(), gone(), seen(2, 0, at(100, 100, 100))}},
		{"missing, then another", []step{seen(1, 0, at(100, 100, 100)), gone(), seen(2, 0, at(300, 100, 100))}},
		{"never there", []step{gone(), gone(), seen(1, 0, at(100, 100, 100))}},
		{"the larger one is followed", []step{seen(1, 1, at(10, 10, 50), at(300, 100, 100))}},
		{"a second one does not take over", []step{
			seen(1, 0, at(100, 100, 100)), seen(1, 1, at(400, 100, 120), at(100, 100, 100)), seen(1, 0, at(100, 100, 100), at(390, 90, 130))}},
		{"the second one stays alone", []step{
			seen(1, 0, at(100, 100, 100)), seen(1, 0, at(100, 100, 100), at(400, 100, 90)), seen(2, 0, at(400, 100, 90))}},
		{"crossing", []step{
			seen(1, 0, at(100, 100, 100), at(300, 100, 100)),
			seen(1, 0, at(145, 100, 100), at(255, 100, 100)),
			seen(2, 0, at(185, 100, 100), at(215, 100, 100)), // both could be the first
			seen(3, 0, at(205, 100, 100), at(175, 100, 100)),
		}},
		{"dwarfed by a newcomer", []step{seen(1, 0, at(100, 100, 100)), seen(2, 1, at(100, 100, 100), at(250, 50, 300))}},
		{"a face on a shirt", []step{seen(1, 0, at(240, 100, 100), shirt), seen(1, 1, shirt, at(240, 100, 100))}},
		{"only doubtful faces", []step{seen(1, 0, shirt)}},
	}
	img := goldenPicture(640, 480)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Track.Appearance = -1
			tr := newTracker(cfg)
			for i, s := range tt.steps {
				if primary, track := tr.follow(img, s.faces); primary != s.primary || track != s.track {
					t.Fatalf("image %d: primary %d track %d, want %d and %d", i, primary, track, s.primary, s.track)
				}
			}
		})
	}
}

// The same box with something else in it is another person, unless the check is off.
func TestTrackerAppearance(t *testing.T) {
	one, other, face := pattern(1), pattern(5), at(200, 150, 120)
	for _, tt := range []struct {
		name      string
		limit     float64
		images    []*liveproof.Image
		wantTrack int
	}{
		{"same", 0.6, []*liveproof.Image{one, one, one}, 1},
		{"swapped in place", 0.6, []*liveproof.Image{one, one, other}, 2},
		{"swapped, and back", 0.6, []*liveproof.Image{one, other, one}, 3},
		{"darker", 0.6, []*liveproof.Image{one, dimmed(one), one}, 1},
		{"flat", 0.6, []*liveproof.Image{one, grey(640, 480, 128), grey(640, 480, 128)}, 2},
		{"check off", -1, []*liveproof.Image{one, other, one}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Track.Appearance = tt.limit
			tr, track := newTracker(cfg), 0
			for _, img := range tt.images {
				_, track = tr.follow(img, []liveproof.Face{face})
			}
			if track != tt.wantTrack {
				t.Errorf("track %d at the end, want %d", track, tt.wantTrack)
			}
		})
	}
}

// pattern is a picture of smooth waves; other frequencies are uncorrelated.
func pattern(k float64) *liveproof.Image {
	img := liveproof.NewImage(640, 480)
	for y := range 480 {
		for x := range 640 {
			v := 128 + 50*math.Sin(k*float64(x)/90) + 50*math.Sin(k*float64(y)/70)
			p := img.Pix[y*img.Stride+3*x:]
			p[0], p[1], p[2] = byte(v), byte(v/2), byte(255-v)
		}
	}
	return img
}

func dimmed(src *liveproof.Image) *liveproof.Image {
	img := liveproof.NewImage(src.Width, src.Height)
	for i, v := range src.Pix {
		img.Pix[i] = v / 2
	}
	return img
}

// The appearance follows the landmarks: that of a turned and shifted face is the same.
func TestAppearanceIsAligned(t *testing.T) {
	f := at(0, 0, 100)
	lm := liveproof.Landmarks{{X: 33, Y: 36}, {X: 67, Y: 36}, {X: 50, Y: 56}, {X: 37, Y: 76}, {X: 63, Y: 76}}
	f.Landmarks = &lm
	a := alignment(f)
	if math.Abs(float64(a.a-100)) > 0.01 || math.Abs(float64(a.b)) > 0.01 || math.Abs(float64(a.tx)) > 0.01 || math.Abs(float64(a.ty)) > 0.01 {
		t.Errorf("alignment %+v of an upright face, want scale 100 only", a)
	}
	turned := liveproof.Landmarks{}
	for i, p := range lm { // by 90° clockwise, about (0,0), then shifted
		turned[i] = liveproof.Point{X: -p.Y + 300, Y: p.X + 40}
	}
	f.Landmarks = &turned
	if a = alignment(f); math.Abs(float64(a.a)) > 0.01 || math.Abs(float64(a.b-100)) > 0.01 || math.Abs(float64(a.tx-300)) > 0.01 {
		t.Errorf("alignment %+v of a turned face, want b = 100, shift (300, 40)", a)
	}
}
