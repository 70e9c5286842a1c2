package pipeline

import (
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// farthest from zero that a picture's own time is believed; it keeps differences of two times from overflowing.
	farthest = 100 * 365 * 24 * time.Hour
	// liveStep is how much further than the server's clock stream time may advance from one
	// picture to the next. The pictures of a burst stay far below it, a new timestamp base does not.
	liveStep = time.Second
	// fileStep is the longest step of a file's time, which no clock bounds.
	fileStep = 10 * time.Second
	// jumpSpan is for how long pictures must agree on a new time before it is followed.
	jumpSpan = 2 * time.Second
	// jumpPictures is how many pictures in a row must agree before they count as more than single faults.
	jumpPictures = 3
)

// moment is a picture's own time and the server's time at its arrival since the first picture, which is
// negative for files.
type moment struct{ pts, server time.Duration }

// leadsTo reports whether a later picture can have the time b in the same stream.
func (a moment) leadsTo(b moment) bool {
	step := b.pts - a.pts
	if b.server < 0 {
		return step > 0 && step <= fileStep
	}
	return step > 0 && step <= b.server-a.server+liveStep
}

// timeline follows the pictures' own time. A picture whose time does not fit the one before is rejected. When the
// pictures in a row that do not fit agree with each other, the stream's time has jumped (another camera, a sender that
// resumed with another timestamp base): the third of them restarts the evidence, and once they have agreed for jumpSpan the
// timeline goes on from there. RFC 3550, A.1 treats jumps of sequence numbers alike, with two packets in a row.
type timeline struct {
	started bool
	newest  moment
	other   trail // the newest pictures, where they do not fit
}

// trail is pictures in a row that agree with each other.
type trail struct {
	first, newest moment
	pictures      int
}

// followed is what a picture's time means.
type followed struct {
	step  time.Duration    // by how much stream time advanced: 0 for the first picture, else positive
	why   liveproof.Reason // why the picture is rejected, "" if it is not
	tell  bool             // a rejected picture must become a sample
	moved bool             // the timeline goes on from this rejected picture
}

// follow takes the next picture.
func (l *timeline) follow(at moment) followed {
	switch {
	case at.pts < -farthest || at.pts > farthest:
		return followed{why: liveproof.ReasonTimestampsBackward}
	case !l.started:
		l.started, l.newest = true, at
		return followed{}
	case l.newest.leadsTo(at):
		step := at.pts - l.newest.pts
		l.newest, l.other = at, trail{}
		return followed{step: step}
	}
	l.other.add(at)
	return l.astray(at)
}

// astray judges a picture that does not fit, after it was added to the others.
func (l *timeline) astray(at moment) followed {
	switch {
	case l.other.settled():
		l.newest, l.other = at, trail{}
		return followed{why: liveproof.ReasonTimestampsJumped, tell: true, moved: true}
	case l.other.pictures == jumpPictures:
		return followed{why: liveproof.ReasonTimestampsJumped, tell: true}
	case at.pts <= l.newest.pts:
		return followed{why: liveproof.ReasonTimestampsBackward}
	case l.other.pictures > jumpPictures:
		return followed{why: liveproof.ReasonTimestampsJumped}
	}
	return followed{why: liveproof.ReasonInjectionTiming}
}

// add continues the trail, or begins another one with a picture that does not fit it.
func (r *trail) add(at moment) {
	if r.pictures == 0 || at.pts <= r.newest.pts || !r.first.leadsTo(at) {
		*r = trail{first: at}
	}
	r.newest = at
	r.pictures++
}

// settled reports whether the trail is long enough to be the stream's new time.
func (r *trail) settled() bool {
	span := r.newest.server - r.first.server
	if r.newest.server < 0 {
		span = r.newest.pts - r.first.pts
	}
	return r.pictures >= jumpPictures && span >= jumpSpan
}
