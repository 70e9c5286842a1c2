package challenge

import (
	"math"

	"github.com/liveproof/liveproof"
)

const (
	// clearly is how far a movement must go, in its configured least size, to count in one view; from 1 on it counts in the second.
	clearly = 1.3
	// level is up to where the head counts as held still, in the same unit.
	level = 0.6
	// settling is the share by which each view of a head that is held still moves what counts as still.
	settling = 0.2
)

// place is how a head is turned, and how near it is.
type place struct {
	yaw, pitch float64 // degrees
	eyes       float64 // log of the distance between the eyes, pixels
	down       float64 // log of that from the eyes to the mouth
}

// placed reads a view's place; ok is false where the detector gives no landmarks, or none that can be.
func placed(v liveproof.View) (p place, ok bool) {
	l := v.Face.Landmarks
	if v.Pose == nil || l == nil {
		return p, false
	}
	eyes, mouth := middle(l[0], l[1]), middle(l[3], l[4])
	p = place{v.Pose.Yaw, v.Pose.Pitch, math.Log(float64(distance(l[0], l[1]))), math.Log(float64(distance(eyes, mouth)))}
	for _, x := range [...]float64{p.yaw, p.pitch, p.eyes, p.down} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return p, false
		}
	}
	return p, true
}

// head recognises movements: how a head is turned, compared with how it was held before.
type head struct {
	cfg     TurnConfig
	rested  []place
	still   place
	newest  place
	state   liveproof.Movement // the movement that lasts; empty: held still
	nearly  liveproof.Movement // what the view before showed less than clearly
	settled bool
}

// rest takes a view from before the challenge.
func (h *head) rest(p place) {
	if len(h.rested) < mostReadings {
		h.rested = append(h.rested, p)
	}
}

// known reports whether it is known how the head is held. It is then its median of the views before.
func (h *head) known() bool {
	if h.settled || len(h.rested) < leastLevel {
		return h.settled
	}
	of := func(value func(place) float64) float64 {
		series := make([]float64, len(h.rested))
		for i, p := range h.rested {
			series[i] = value(p)
		}
		return median(series)
	}
	h.still = place{
		of(func(p place) float64 { return p.yaw }), of(func(p place) float64 { return p.pitch }),
		of(func(p place) float64 { return p.eyes }), of(func(p place) float64 { return p.down }),
	}
	h.newest, h.settled = h.still, true
	return true
}

// move takes a view and returns the movement that begins with it; empty if none does.
func (h *head) move(p place) (begun liveproof.Movement) {
	h.newest = p
	m, size := h.largest()
	sure := size >= clearly || size >= 1 && m == h.nearly
	h.nearly = ""
	switch {
	case size < level:
		h.state = ""
		h.adapt(p)
	case sure && m != h.state:
		h.state = m
		if m == liveproof.MoveCloser { // who came closer may stay there, or go back
			h.still.eyes, h.still.down = p.eyes, p.down
		}
		return m
	case size >= 1:
		h.nearly = m
	}
	return ""
}

// away is how far the newest view is from the head held still: in degrees, and how many times as large the face is.
func (h *head) away() (yaw, pitch, size float64) {
	p := h.newest
	return p.yaw - h.still.yaw, p.pitch - h.still.pitch, math.Exp(min(p.eyes-h.still.eyes, p.down-h.still.down))
}

// largest is the movement that goes furthest, in units of what counts as one. Only a face whose every length grows comes closer: that of the
// eyes shrinks when the head turns, and that from eyes to mouth when it nods.
func (h *head) largest() (m liveproof.Movement, size float64) {
	yaw, pitch, closer := h.away()
	yaw, pitch, closer = yaw/h.cfg.Yaw, pitch/h.cfg.Pitch, math.Log(closer)/math.Log(h.cfg.Closer)
	for _, x := range [...]struct {
		m    liveproof.Movement
		size float64
	}{{liveproof.MoveLeft, yaw}, {liveproof.MoveRight, -yaw}, {liveproof.MoveNod, pitch}, {liveproof.MoveCloser, closer}} {
		if x.size > size {
			m, size = x.m, x.size
		}
	}
	return m, size
}

// adapt follows a head that is held a little differently from before. Who goes back after coming closer is back at once.
func (h *head) adapt(p place) {
	if p.eyes < h.still.eyes && p.down < h.still.down {
		h.still.eyes, h.still.down = p.eyes, p.down
	}
	h.still.yaw += settling * (p.yaw - h.still.yaw)
	h.still.pitch += settling * (p.pitch - h.still.pitch)
	h.still.eyes += settling * (p.eyes - h.still.eyes)
	h.still.down += settling * (p.down - h.still.down)
}
