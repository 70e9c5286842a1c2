package admission

import (
	"math"
	"time"
)

const (
	// Target is the highest planned use of a resource, as a share. The rest is for what
	// varies: garbage collection, key frames, faces that come and go.
	Target = 0.85
	// Settle is the time constant of the means, and so the time in which about two
	// thirds of a new session's cost are seen.
	Settle = 5 * time.Second
	// guess is the assumed cost of a session in cores until it is measured; with the
	// most expensive of the shipped models it is 0.16.
	guess = 0.4
	// leastSessions is the least mean number of sessions, counted at the full rate, from
	// which a cost is computed.
	leastSessions = 0.5
)

// Reason is why a session is refused; a label value of the metrics.
type Reason string

// The reasons.
const (
	CPU      Reason = "cpu"      // the CPU has no capacity for another session
	Scorer   Reason = "scorer"   // the scorer has none
	Settling Reason = "settling" // too many sessions whose cost is not measured yet
)

// Reading is one measurement. CPU, Idle and Samples are counters that may start at any value.
type Reading struct {
	Cores   float64 // that this process may use; 0: the CPU is not measured
	CPU     float64 // seconds that this process has used
	Idle    float64 // seconds that these cores were idle, summed over them; NaN: unknown
	Scorer  float64 // use of the scorer's workers in the last seconds, 0…1
	Samples float64 // that were taken of all sessions
	// Streaming is how many sessions stream.
	Streaming int
}

// Sessions are the numbers of sessions of a server. A session is booked from its creation until its
// client connects.
type Sessions struct{ Booked, Connecting, Streaming int }

// Policy decides by measured cost. Make one with New. It is not safe for
// concurrent use.
type Policy struct {
	rate     float64 // samples a second of a session at the full rate
	readings int
	at       time.Time // of the last reading
	last     Reading
	samples  float64  // mean: a second, of all sessions
	sessions float64  // mean: that streamed
	shared   bool     // cpu.available counts what other processes take of the cores
	measured bool     // whether the costs are measured
	cpu      resource // in cores
	scorer   resource // in shares of its workers
}

// resource can run out.
type resource struct {
	known     bool // whether it is measured
	available float64
	used      float64
	cost      float64 // of a session at the full rate; before it is measured, a guess
}

// New makes a policy for sessions whose full sampling rate is rate samples a second.
func New(rate float64) *Policy { return &Policy{rate: rate, cpu: resource{cost: guess}} }

// Observe takes a reading; call it at least about once a second.
func (p *Policy) Observe(now time.Time, r Reading) {
	span, last := now.Sub(p.at).Seconds(), p.last
	if p.readings > 0 && span <= 0 {
		return
	}
	p.at, p.last = now, r
	p.cpu.known, p.scorer.known = r.Cores > 0, true
	p.readings++
	if p.readings == 1 { // use is the difference of two readings
		p.cpu.available, p.scorer.available = r.Cores, 1
		return
	}
	fresh := 1 - math.Exp(-span/Settle.Seconds())
	if last.Cores > 0 && r.Cores > 0 { // totals are compared with totals, not with a reading that failed
		p.observeCPU(last, r, span, fresh)
	}
	approach(&p.samples, max(r.Samples-last.Samples, 0)/span, fresh)
	approach(&p.sessions, float64(last.Streaming), fresh)
	p.scorer.used = r.Scorer
	if sessions := p.samples / p.rate; sessions >= leastSessions {
		p.cpu.cost, p.scorer.cost, p.measured = p.cpu.used/sessions, p.scorer.used/sessions, true
	}
}

func (p *Policy) observeCPU(from, to Reading, span, fresh float64) {
	if !p.shared { // what other processes take counts at once
		p.cpu.available, p.shared = available(from, to, span), true
	}
	approach(&p.cpu.used, max(to.CPU-from.CPU, 0)/span, fresh)
	approach(&p.cpu.available, available(from, to, span), fresh)
}

func approach(mean *float64, v, weight float64) { *mean += weight * (v - *mean) }

// available is how many cores this process could use between two readings: what it used and what was
// idle, at most its limit.
func available(from, to Reading, span float64) float64 {
	if math.IsNaN(to.Idle) || math.IsNaN(from.Idle) {
		return to.Cores
	}
	return min(to.Cores, (max(to.CPU-from.CPU, 0)+max(to.Idle-from.Idle, 0))/span)
}

// Admit decides on one more session beside these; "" admits it. A server without sessions always
// takes one, however busy the machine is.
func (p *Policy) Admit(s Sessions) Reason {
	streaming, booked := float64(s.Streaming), float64(s.Booked)
	seen := min(p.sessions, streaming)
	unseen := float64(s.Connecting) + streaming - seen
	left := math.Inf(1) // how many sessions can have part in the mean use
	if streaming < p.sessions {
		left = streaming // the rest has ended
	}
	switch {
	case s.Booked+s.Connecting+s.Streaming == 0:
		return ""
	case unseen > max(seen, p.start()-1), !p.measured && booked > 0 && unseen+booked > p.start()-1:
		return Settling
	case !p.cpu.room(left, unseen+booked+1):
		return CPU
	case !p.scorer.room(left, unseen+booked+1):
		return Scorer
	}
	return ""
}

// room reports whether so many more sessions fit. Of the mean use counts at most what the sessions
// that are left cost at the full rate.
func (r resource) room(left, more float64) bool {
	use := r.used
	if r.cost > 0 {
		use = min(use, left*r.cost)
	}
	return !r.known || use+more*r.cost <= Target*r.available
}

// start is how many sessions a server may take before it has seen any.
func (p *Policy) start() float64 { return max(1, math.Floor(Target*p.cpu.available/guess)) }

// View is what the policy knows, for metrics.
type View struct {
	CPU, Scorer float64 // use as a share of what is available, 0…1
	Cost        float64 // cores of a session at the full rate; 0: not measured yet
	Capacity    float64 // sessions at the full rate that this server can take; 0: not measured yet
}

// View shows what the policy knows.
func (p *Policy) View() View {
	v := View{CPU: p.cpu.share(), Scorer: p.scorer.share()}
	if p.measured {
		v.Cost = p.cpu.cost
	}
	if capacity := min(p.cpu.capacity(), p.scorer.capacity()); p.measured && !math.IsInf(capacity, 0) {
		v.Capacity = capacity
	}
	return v
}

func (r resource) share() float64 {
	if r.available <= 0 {
		return 0
	}
	return min(r.used/r.available, 1)
}

func (r resource) capacity() float64 {
	if !r.known || r.cost <= 0 {
		return math.Inf(1)
	}
	return math.Floor(Target * r.available / r.cost)
}
