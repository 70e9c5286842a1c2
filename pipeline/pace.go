package pipeline

import (
	"math"
	"time"
)

// What tells a stream that runs ahead from one that was late and catches up. docs/adr/0013-stream-time.md gives the reasons.
const (
	// floorWindow is the shortest time over which the least delay is taken. It is longer than the stalls and
	// queues after which a stream catches up.
	floorWindow = 30 * time.Second
	// drift is by how much a camera's clock may be faster than the server's.
	drift = 0.01
	// gainSpan is the time constant with which gained time is forgotten.
	gainSpan = time.Second
	// gainLimit is how much gained time counts as running ahead. With gainSpan it is a rate of 1.2: slower
	// ones cannot be told from jitter and drift, and gain nothing, because told time leaves out what is gained.
	gainLimit = 200 * time.Millisecond
	// gainMost bounds what is remembered of one burst, so that a stream which keeps pace after it is
	// trusted gainSpan·ln(gainMost/gainLimit) = 1.1 s later, however long the burst was.
	gainMost = 600 * time.Millisecond
	// aheadLimit is for how long a stream may run ahead before its pictures are rejected.
	aheadLimit = 3 * time.Second
	// aheadForgiven is how much of that a second of keeping pace takes back.
	aheadForgiven = 0.1
)

// pace holds stream time against the server's clock. The delay of a picture is the server's time at its arrival less its
// stream time. A camera's delay has a floor, which is the path's shortest delay and changes only by the drift between
// the two clocks; stalls and queues add to it for a while. So a stream that catches up returns to the floor, and one that runs ahead
// falls below it. The floor is a minimum over a window, as in the clock filter of NTP (RFC 5905, 10) and the base delay of LEDBAT
// (RFC 6817, 4.2).
//
// Time gained, by which a delay falls below the floor, is never told. Nor is told time that exceeds the server's by more than slack since any
// earlier picture: for any two pictures told time grows by at most the server's time plus slack.
type pace struct {
	slack time.Duration

	begun  bool
	media  time.Duration // stream time since the first picture, without jumps
	told   time.Duration // what the rest of the pipeline is told, at most media
	server time.Duration // of the newest picture
	lead   time.Duration // the least told time less the server's so far
	floor  floor
	gain   time.Duration // recent gained time, at most gainMost
	ahead  time.Duration // for how long the stream ran ahead lately, at most aheadLimit
}

// advance takes the next picture, whose stream time is step after the one before; server is negative for files, which have
// no clock. ahead says that the stream runs ahead, so that the picture is no evidence; caught says that it has done
// so for too long.
func (p *pace) advance(step, server time.Duration) (ahead, caught bool) {
	p.media += step
	if server < 0 {
		p.told += step
		return false, false
	}
	if !p.begun {
		p.begun, p.server, p.lead = true, server, p.told-server
	}
	passed := max(0, server-p.server)
	p.server += passed
	gained := max(0, p.floor.observe(p.server-p.media, p.server)-time.Duration(drift*float64(passed)))
	p.tell(step - gained)
	return p.weigh(gained, passed)
}

// tell advances told time by at most step.
func (p *pace) tell(step time.Duration) {
	p.told = min(p.told+step, p.server+p.lead+p.slack)
	p.lead = min(p.lead, p.told-p.server)
}

// weigh judges the rate at which time is gained.
func (p *pace) weigh(gained, passed time.Duration) (ahead, caught bool) {
	kept := time.Duration(float64(p.gain) * math.Exp(-float64(passed)/float64(gainSpan)))
	p.gain = min(kept+gained, gainMost)
	if ahead = p.gain > gainLimit; ahead {
		p.ahead = min(p.ahead+passed, aheadLimit)
	} else {
		p.ahead = max(0, p.ahead-time.Duration(aheadForgiven*float64(passed)))
	}
	return ahead, ahead && p.ahead >= aheadLimit
}

// restart begins another floor, after a jump of the stream's time.
func (p *pace) restart() { p.floor = floor{} }

// floor is the least delay of a window that is between floorWindow and twice as long.
type floor struct {
	begun           bool
	since           time.Duration // begin of the current half
	current, before time.Duration // least delay of either half
}

// observe takes the delay of a picture at time now and returns by how much it lies below the floor.
func (f *floor) observe(delay, now time.Duration) (below time.Duration) {
	if !f.begun {
		*f = floor{begun: true, since: now, current: delay, before: delay}
	}
	if now-f.since >= floorWindow {
		f.since, f.before, f.current = now, f.current, math.MaxInt64
	}
	below = max(0, min(f.current, f.before)-delay)
	f.current = min(f.current, delay)
	return below
}
