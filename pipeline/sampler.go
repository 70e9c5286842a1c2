package pipeline

import (
	"time"

	"github.com/liveproof/liveproof"
)

// rejectsPerDoubt thins out rejected pictures of a file: one sample stands for
// up to that many. Live ones are thinned by the server's clock.
const rejectsPerDoubt = 6

// sampler picks pictures on a grid of stream time, one per cell, whatever their
// jitter: cell k reaches from (k-½)·period to (k+½)·period, so a source that
// delivers at the sampling rate itself sits in the middle of the cells.
type sampler struct {
	period   time.Duration
	timeline timeline
	pace     pace
	taken    taken
	evident  bool // a picture was taken since the last jump that became a sample

	rejects int           // since the last accepted picture or doubt
	doubtAt time.Duration // server time of the last doubt
}

// taken is the picture taken last.
type taken struct {
	cell        int64
	media, told time.Duration
}

// picked is what to do with a picture.
type picked struct {
	take  bool
	t     time.Duration    // told stream time from the first picture: it never falls, and grows between two pictures that are taken
	doubt liveproof.Reason // why the picture is rejected, "" if it is not
	tell  bool             // a rejected picture becomes an unscored sample
}

func newSampler(cfg Config) sampler {
	return sampler{period: cfg.period(), pace: pace{slack: cfg.ClockSlack}}
}

// classify judges the next picture by its time pts; server is the server's time since
// the first picture, or negative for files, which have no clock.
func (s *sampler) classify(pts, server time.Duration) picked {
	first := !s.timeline.started
	at := s.timeline.follow(moment{pts, server})
	if at.moved {
		s.pace.restart()
	}
	if at.why != "" {
		return s.reject(at.why, server, at.tell)
	}
	ahead, caught := s.pace.advance(at.step, server)
	if caught {
		return s.reject(liveproof.ReasonInjectionTiming, server, false)
	}
	s.rejects = 0
	next := taken{cell: int64((s.pace.media + s.period/2) / s.period), media: s.pace.media, told: s.pace.told}
	if !first && (ahead || next.cell <= s.taken.cell || s.crowds(next)) {
		return picked{t: next.told}
	}
	s.taken, s.evident = next, true
	return picked{take: true, t: next.told}
}

// crowds reports whether so little of the stream's time was told since the last picture that was taken that
// another one is not due yet, although the stream itself has gone on.
func (s *sampler) crowds(next taken) bool {
	told := next.told - s.taken.told
	return told < s.period/2 && told < next.media-s.taken.media
}

// reject leaves told time where it is. Of many rejected pictures some become samples, among them this one if it is a jump
// that ends the evidence of pictures which were taken.
func (s *sampler) reject(why liveproof.Reason, server time.Duration, jump bool) picked {
	p := picked{t: s.pace.told, doubt: why}
	switch {
	case jump && s.evident:
		p.tell, s.evident = true, false
	case server >= 0:
		p.tell = s.doubtAt == 0 || server-s.doubtAt >= s.period
	default:
		p.tell = s.rejects%rejectsPerDoubt == 0
	}
	if p.tell {
		s.doubtAt, s.rejects = max(server, 1), 0
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

// observe remembers the next picture and reports whether the same content had
// already come by the time of the last sample.
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
