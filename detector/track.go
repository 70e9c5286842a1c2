package detector

import (
	"math"

	"github.com/liveproof/liveproof"
)

// tracker follows one face through a session's pictures.
type tracker struct {
	cfg       TrackConfig
	confident float32 // from here on a face is surely one
	track     int     // number of the current or last track; 0 before the first

	following bool
	box       liveproof.Box // last position
	vx, vy    float32       // movement of the centre, pixels an image
	missed    int           // images since then without the face
	last      appearance    // of the face
	usual     appearance    // its running mean
	known     bool          // last and usual hold something
}

func newTracker(cfg Config) *tracker {
	return &tracker{cfg: cfg.Track, confident: float32(cfg.OtherConfidence)}
}

// follow returns the index of the followed face in faces and its track; -1 and
// 0 without one. A new number means that it may be somebody else.
func (t *tracker) follow(img *liveproof.Image, faces []liveproof.Face) (primary, track int) {
	if len(faces) == 0 {
		t.miss()
		return -1, 0
	}
	at, sure := t.match(faces)
	if at < 0 {
		at, sure = t.largest(faces), false
	}
	shown, ok := appearanceOf(img, faces[at])
	if !sure || !t.resembles(&shown, ok) {
		t.start()
	}
	t.move(faces[at].Box)
	t.remember(&shown, ok)
	return at, t.track
}

// miss counts an image without any face; after too many the track is over.
func (t *tracker) miss() {
	t.missed++
	if t.missed > t.cfg.MaxMissed {
		t.following = false
	}
}

// start begins a new track.
func (t *tracker) start() {
	t.track++
	t.following, t.known = false, false // no history: neither movement nor appearance
}

// match finds the face that continues the track. Two that both could are no
// match: nobody can tell which of two crossing people is which.
func (t *tracker) match(faces []liveproof.Face) (at int, sure bool) {
	at = -1
	if !t.following {
		return at, false
	}
	area := faces[t.largest(faces)].Box.Area()
	for i, f := range faces {
		if f.Box.Area() < dwarfed*area || !t.continues(f.Box) {
			continue
		}
		if at >= 0 {
			return -1, false
		}
		at = i
	}
	return at, at >= 0
}

// dwarfed is the share of the largest face's area under which the followed
// face is given up: somebody else has come before the camera.
const dwarfed = 0.25

// continues reports whether a box can be the next position of the followed face.
func (t *tracker) continues(b liveproof.Box) bool {
	steps := float64(t.missed + 1)
	ratio := math.Abs(math.Log(float64(longerSide(b) / longerSide(t.box))))
	if !(ratio <= steps*math.Log(t.cfg.MaxScale)) {
		return false
	}
	overlap := max(b.IoU(t.box), b.IoU(t.predicted()))
	return float64(overlap) >= t.cfg.IoU
}

// predicted is where the face is now if it keeps moving as before.
func (t *tracker) predicted() liveproof.Box {
	n := float32(t.missed + 1)
	return liveproof.Box{X1: t.box.X1 + n*t.vx, Y1: t.box.Y1 + n*t.vy, X2: t.box.X2 + n*t.vx, Y2: t.box.Y2 + n*t.vy}
}

// resembles compares with the last and the usual appearance. A flat picture
// (ok false) is not like anything, unless the check is off.
func (t *tracker) resembles(a *appearance, ok bool) bool {
	if t.cfg.Appearance <= -1 || !t.known {
		return true
	}
	return ok && float64(max(a.correlation(&t.last), a.correlation(&t.usual))) >= t.cfg.Appearance
}

func (t *tracker) move(b liveproof.Box) {
	t.vx, t.vy = 0, 0
	if t.following {
		x0, y0 := centre(t.box)
		x1, y1 := centre(b)
		n := float32(t.missed + 1)
		t.vx, t.vy = (x1-x0)/n, (y1-y0)/n
	}
	t.following, t.box, t.missed = true, b, 0
}

// remember keeps the appearance; usual follows it with a weight of 1/4.
func (t *tracker) remember(a *appearance, ok bool) {
	if !ok {
		t.known = false
		return
	}
	if !t.known {
		t.last, t.usual, t.known = *a, *a, true
		return
	}
	t.last = *a
	for i, v := range a {
		t.usual[i] += (v - t.usual[i]) / 4
	}
	t.known = t.usual.normalise(0.1)
}

// largest is the index of the largest of the confident faces, or of all when
// none is.
func (t *tracker) largest(faces []liveproof.Face) int {
	at := -1
	for i, f := range faces {
		if f.Confidence < t.confident {
			continue
		}
		if at < 0 || f.Box.Area() > faces[at].Box.Area() {
			at = i
		}
	}
	if at >= 0 {
		return at
	}
	at = 0
	for i, f := range faces {
		if f.Box.Area() > faces[at].Box.Area() {
			at = i
		}
	}
	return at
}
