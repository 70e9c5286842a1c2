package pipeline

import (
	"io"
	"math/rand/v2"
	"time"
)

// schedule is when pictures arrive, in the server's time since the first.
type schedule []time.Duration

// publisher is a sender as the server sees it: the time of each picture, and when it arrives.
type publisher struct {
	times    []time.Duration
	arrivals schedule
}

// camera sends for a time at fps pictures a second, each as it is taken.
func camera(length time.Duration, fps float64) publisher {
	var p publisher
	for i := 0; ; i++ {
		at := time.Duration(float64(i) / fps * float64(time.Second))
		if at >= length {
			return p
		}
		p.times, p.arrivals = append(p.times, at), append(p.arrivals, at)
	}
}

// sendTime is how long a picture takes that waits to be sent.
const sendTime = 2 * time.Millisecond

// held keeps back what is due in [from, to); it is sent at once at its end.
func (p publisher) held(from, to time.Duration) publisher {
	next := to
	for i, at := range p.arrivals {
		if at >= from && at < next {
			p.arrivals[i] = next
			next += sendTime
		}
	}
	return p
}

// late holds back everything but the first picture's place in the stream: the sender begins late
// and sends what has gathered at once.
func (p publisher) late(by time.Duration) publisher {
	p = p.held(0, by)
	for i := range p.arrivals {
		p.arrivals[i] -= by
	}
	return p
}

// speed plays faster or slower than the pictures' own time.
func (p publisher) speed(factor float64) publisher {
	for i, at := range p.arrivals {
		p.arrivals[i] = time.Duration(float64(at) / factor)
	}
	return p
}

// jitter delays each picture at random; they still arrive in order.
func (p publisher) jitter(r *rand.Rand, most time.Duration) publisher {
	last := time.Duration(0)
	for i := range p.arrivals {
		last = max(last, p.arrivals[i]+time.Duration(r.Int64N(int64(most)+1)))
		p.arrivals[i] = last
	}
	return p
}

// jump moves the pictures' own time from one time of the stream on.
func (p publisher) jump(at, by time.Duration) publisher {
	for i, t := range camera(p.arrivals[len(p.arrivals)-1]+time.Hour, 30).times[:len(p.times)] {
		if t >= at {
			p.times[i] += by
		}
	}
	return p
}

// script makes it a source of pictures that are all different.
func (p publisher) script() *script {
	s := play(len(p.times), 30).edit(func(i int, pic *picture) { pic.t = p.times[i] }).ending(nil)
	s.arrivals = p.arrivals
	return s
}

// file makes it a file, which ends.
func (p publisher) file() *script {
	s := p.script().ending(io.EOF)
	s.arrivals = nil
	return s
}

// classified is what the sampler made of a publisher's pictures.
type classified struct {
	picked
	server time.Duration
}

func (p publisher) classify(cfg Config) (out []classified) {
	s := newSampler(cfg)
	for i, t := range p.times {
		server := p.arrivals[i] - p.arrivals[0]
		out = append(out, classified{s.classify(t, server), server})
	}
	return out
}
