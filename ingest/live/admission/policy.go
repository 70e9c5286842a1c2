package admission

import (
	"math"
	"time"
)

const (
	// Target is the highest planned use of a resource. The rest is for what varies:
	// garbage collection, key frames, faces that come and go.
	Target = 0.85
	// Settle is the time constant of the means, and so the time in which about two
	// thirds of a new session's cost are seen.
	Settle = 5 * time.Second
	// guess is the cost of a session in cores before any was measured; the dearest of
	// the shipped models costs 0.16.
	guess = 0.4
	// leastSessions is how many sessions at the full rate, in the mean, make a cost.
	leastSessions = 0.5
)

// Reason is why a session is refused; a label of the metrics.
type Reason string

// The reasons.
const (
	CPU      Reason = "cpu"      // the processor has no room for another session
	Scorer   Reason = "scorer"   // the scorer has none
	Settling Reason = "settling" // too many sessions whose cost is not measured yet
)

// Reading is one measurement. CPU, Idle and Samples count up from any start.
type Reading struct {
	Cores   float64 // that this process may use; 0: the processor is not measured
	CPU     float64 // seconds that this process has used
	Idle    float64 // seconds that these cores were idle, all together; NaN: unknown
	Scorer  float64 // use of the scorer's workers in the last seconds, 0…1
	Samples float64 // that all sessions have taken
	// Streaming is how many sessions stream.
	Streaming int
}

// Sessions are the sessions of a server. A place is booked when the session was
// created and no client has connected yet.
type Sessions struct{ Booked, Connecting, Streaming int }

// Policy decides by measured cost. The zero value is of no use: see New. A
// Policy is not safe for concurrent use.
type Policy struct {
	rate     float64 // samples a second of a session at the full rate
	readings int
	at       time.Time // of the last reading
	last     Reading
	samples  float64  // a second, of all sessions
	sessions float64  // that streamed
	shared   bool     // what other processes take of the cores is in cpu.available
	measured bool     // the costs are
	cpu      resource // in cores
	scorer   resource // in shares of its workers
}

// resource is what can run out.
type resource struct {
	known     bool // it is measured
	available float64
	used      float64
	cost      float64 // of a session at the full rate; before it is measured, a guess
}

// New makes a policy for sessions that take up to rate samples a second.
func New(rate float64) *Policy { return &Policy{rate: rate, cpu: resource{cost: guess}} }

// Observe takes a reading; call it about once a second or more often.
func (p *Policy) Observe(now time.Time, r Reading) {
	span, last := now.Sub(p.at).Seconds(), p.last
	if p.readings > 0 && span <= 0 {
		return
	}
	p.at, p.last = now, r
	p.cpu.known, p.scorer.known = r.Cores > 0, true
	p.readings++
	if p.readings == 1 { // a total alone is no use
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

// available is how many cores this process could use between two readings: its own limit, less what
// other processes took.
func available(from, to Reading, span float64) float64 {
	if math.IsNaN(to.Idle) || math.IsNaN(from.Idle) {
		return to.Cores
	}
	return min(to.Cores, (max(to.CPU-from.CPU, 0)+max(to.Idle-from.Idle, 0))/span)
}

// Admit decides on one more session beside these; "" admits it. A server without sessions takes one
// always, however busy the machine is.
func (p *Policy) Admit(s Sessions) Reason {
	streaming, booked := float64(s.Streaming), float64(s.Booked)
	seen := min(p.sessions, streaming)
	unseen := float64(s.Connecting) + streaming - seen
	left := math.Inf(1) // how many sessions the mean use can be of
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

// room reports whether more sessions fit beside those that are left of the mean use. These may
// all cost as much as one at the full rate.
func (r resource) room(left, more float64) bool {
	use := r.used
	if r.cost > 0 {
		use = min(use, left*r.cost)
	}
	return !r.known || use+more*r.cost <= Target*r.available
}

// start is how many sessions may be unseen on a server that has measured none.
func (p *Policy) start() float64 { return max(1, math.Floor(Target*p.cpu.available/guess)) }

// View is what the policy knows, for metrics.
type View struct {
	CPU, Scorer float64 // use of what is available, 0…1
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
