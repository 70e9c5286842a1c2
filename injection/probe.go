package injection

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// probeAfter is after how many steps between pictures their rate is known.
	probeAfter = 8
	// probeSpread is the longest time by which a random delay puts off the probe.
	probeSpread = 400 * time.Millisecond
	// lowestProbed is the rate below which a stream is not probed: it has no pictures to spare. lowestAsked is the lowest rate asked for, at
	// least the rate at which pictures are sampled.
	lowestProbed, lowestAsked = 9, 5
	// leastCut and mostCut bound the rate asked for, as shares of the present one. Even the smallest cut cannot be missed.
	leastCut, mostCut = 0.65, 0.45
	// leastRun of steps, and leastSpan, are over how much the new rate is measured.
	leastRun  = 4
	leastSpan = 400 * time.Millisecond
	// spare steps are added to the duration, for the time until the change takes effect.
	spare = 3
	// enough of the step that was asked for counts as following: a sender's timer may be this much early.
	enough = 0.8
	// patience is for how long after the probe its effect is waited for, beside its duration: a round trip, the encoder, the network's queues.
	patience = 1500 * time.Millisecond
)

// prober asks the client once to send fewer pictures a second, and looks for the effect in the RTP timestamps.
type prober struct {
	due    time.Time // when to ask; zero before the rate is known
	asked  liveproof.Probe
	at     time.Time // when it was asked; zero before
	run    []step    // without a gap, since then
	gap    bool      // pictures were missing since then
	result string    // "" while it is open
	delay  time.Duration
}

// step from one picture to the next.
type step struct {
	length time.Duration
	from   time.Time // arrival of the first one
}

// Results of a probe, the values of the label result.
const (
	probeFollowed   = "followed"
	probeIgnored    = "ignored"    // the client says that it follows, and the stream does not
	probeUnanswered = "unanswered" // the client does not know probes, or cannot
	probeUnclear    = "unclear"    // pictures were lost
)

// ready returns the probe that is to be told now. rate is the present one in pictures a second, 0 while it is not known.
func (p *prober) ready(rate float64, now time.Time) (probe liveproof.Probe, ok bool) {
	switch {
	case !p.at.IsZero() || rate == 0:
		return probe, false
	case p.due.IsZero():
		p.due = now.Add(rand.N(probeSpread)) //nolint:gosec // the top-level generator is ChaCha8 with a secret seed
	}
	if now.Before(p.due) || rate < lowestProbed {
		return probe, false
	}
	low := max(lowestAsked, int(math.Ceil(mostCut*rate)))
	high := max(low, int(leastCut*rate))
	p.asked.FrameRate = low + rand.IntN(high-low+1) //nolint:gosec // as above
	p.asked.Duration = time.Duration(p.steps()+spare) * time.Second / time.Duration(p.asked.FrameRate)
	p.at = now
	return p.asked, true
}

// steps is over how many the new rate is measured.
func (p *prober) steps() int {
	return max(leastRun, int(math.Ceil(leastSpan.Seconds()*float64(p.asked.FrameRate))))
}

// observe takes a step of the stream. It returns the result once there is one.
func (p *prober) observe(s step, apart, adjusts bool, now time.Time) (result string) {
	if p.at.IsZero() || p.result != "" || s.from.Before(p.at) {
		return ""
	}
	p.gap = p.gap || apart
	p.run = append(p.run, s)
	p.run = p.run[max(0, len(p.run)-p.steps()):]
	if apart {
		p.run = p.run[:0]
	}
	switch late := now.Sub(p.at) > p.asked.Duration+patience; {
	case p.slow():
		p.result, p.delay = probeFollowed, p.run[0].from.Sub(p.at)
	case !late:
	case !adjusts:
		p.result = probeUnanswered
	case p.gap:
		p.result = probeUnclear
	default:
		p.result = probeIgnored
	}
	return p.result
}

// interrupt gives up a probe whose stream has ended. It is not repeated.
func (p *prober) interrupt() {
	if !p.at.IsZero() && p.result == "" {
		p.result = probeUnclear
	}
}

// slow reports whether the last steps are as long as was asked for.
func (p *prober) slow() bool {
	if len(p.run) < p.steps() {
		return false
	}
	var sum time.Duration
	for _, s := range p.run {
		sum += s.length
	}
	return sum.Seconds() >= enough*float64(p.steps())/float64(p.asked.FrameRate)
}

// seconds is the delay until the probe took effect, -1 if it never did.
func (p *prober) seconds() float64 {
	if p.result == probeFollowed {
		return p.delay.Seconds()
	}
	return -1
}
