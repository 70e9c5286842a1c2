package pipeline

import (
	"time"

	"github.com/liveproof/liveproof"
)

// rejectsPerDoubt thins out rejected pictures of a file: one sample stands for
// up to that many. Live ones are thinned by the server's clock.
const rejectsPerDoubt = 6

// farthest stream time that is believed; it keeps the grid's arithmetic from overflowing.
const farthest = 365 * 24 * time.Hour

// sampler picks pictures on a grid of stream time, one per cell, whatever their
// jitter: cell k reaches from (k-½)·period to (k+½)·period, so a source that
// delivers at the sampling rate itself sits in the middle of the cells.
type sampler struct {
	period, slack time.Duration

	started bool
	base    time.Duration // the first picture's own time
	last    time.Duration // newest accepted time, from base
	cell    int64         // newest taken cell

	rejects int           // since the last accepted picture or doubt
	doubtAt time.Duration // server time of the last doubt
}

// picked is what to do with a picture.
type picked struct {
	take  bool
	t     time.Duration    // stream time from the first picture
	doubt liveproof.Reason // why the picture is rejected, "" if it is not
	tell  bool             // a rejected picture becomes an unscored sample
}

// classify judges the next picture by its time pts; server is the server's time since
// the first picture, or negative for files, where no clock runs.
func (s *sampler) classify(pts, server time.Duration) picked {
	if !s.started {
		if pts < 0 || pts > farthest {
			return s.reject(liveproof.ReasonTimestampsBackward, server)
		}
		s.started, s.base = true, pts
		return picked{take: true}
	}
	t := pts - s.base
	switch {
	case pts < 0 || t <= s.last || pts > farthest:
		return s.reject(liveproof.ReasonTimestampsBackward, server)
	case server >= 0 && t-server > s.slack:
		return s.reject(liveproof.ReasonInjectionTiming, server)
	}
	s.last, s.rejects = t, 0
	cell := int64((t + s.period/2) / s.period)
	if cell <= s.cell {
		return picked{t: t}
	}
	s.cell = cell
	return picked{take: true, t: t}
}

// reject leaves the stream's time where it was.
func (s *sampler) reject(why liveproof.Reason, server time.Duration) picked {
	p := picked{t: s.last, doubt: why}
	if server >= 0 {
		p.tell = s.doubtAt == 0 || server-s.doubtAt >= s.period
	} else {
		p.tell = s.rejects%rejectsPerDoubt == 0
	}
	if p.tell {
		s.doubtAt = max(server, 1)
	}
	s.rejects++
	return p
}

// recall finds pictures that were shown before. A picture that merely repeats one
// since the last sample (a 15 Hz camera in a 30 Hz stream) is no repetition of evidence.
type recall struct {
	ring    []uint64
	at      map[uint64]sighting
	n       int64 // pictures so far
	sampled int64 // number of the last sampled picture, from 1
}

// sighting is the number of the first and the newest picture of one content.
type sighting struct{ first, newest int64 }

func newRecall(window int) *recall {
	return &recall{ring: make([]uint64, window), at: make(map[uint64]sighting, window)}
}

// observe notes the next picture and reports whether its content was there already
// when the last sample was taken, or before.
func (r *recall) observe(digest uint64) bool {
	r.n++
	slot := r.n % int64(len(r.ring))
	if old := r.ring[slot]; r.n > int64(len(r.ring)) && r.at[old].newest == r.n-int64(len(r.ring)) {
		delete(r.at, old)
	}
	r.ring[slot] = digest
	past, known := r.at[digest]
	if !known {
		past.first = r.n
	}
	r.at[digest] = sighting{first: past.first, newest: r.n}
	return known && past.first <= r.sampled
}

// markSampled notes that the newest picture was sampled.
func (r *recall) markSampled() { r.sampled = r.n }
