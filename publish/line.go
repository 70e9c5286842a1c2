package publish

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// queueLength is how long a packet waits at most before it is sent. Home routers have queues of this order.
	queueLength = 200 * time.Millisecond
	// headerBytes of UDP and IPv4 that every packet has.
	headerBytes = 8 + 20
)

// line is one direction of a Network. All sockets of a peer connection share it.
type line struct {
	Network
	mu     sync.Mutex
	random *rand.Rand
	bad    bool      // the state of Gilbert's model
	free   time.Time // when all packets that wait have been sent
}

func newLine(n Network, direction uint64) *line {
	return &line{Network: n, random: rand.New(rand.NewPCG(n.Seed, direction))} //nolint:gosec // chance that can be repeated is wanted
}

// carry decides on a packet that enters the line now: it arrives at a time that is not before now, or it is lost.
func (l *line) carry(now time.Time, bytes int) (arrives time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent, ok := l.queue(now, bytes)
	// Both are drawn for every packet, so that one setting does not change the other's outcome.
	lost, extra := l.lose(), time.Duration(l.random.Float64()*float64(l.Jitter))
	return sent.Add(l.Delay + extra), ok && !lost
}

// queue returns when the last bit of a packet has been sent, or that it found the queue full.
func (l *line) queue(now time.Time, bytes int) (sent time.Time, ok bool) {
	if l.Bandwidth == 0 {
		return now, true
	}
	begin := now
	if l.free.After(now) {
		begin = l.free
	}
	if begin.Sub(now) > queueLength {
		return now, false
	}
	seconds := float64((bytes+headerBytes)*8) / float64(l.Bandwidth)
	l.free = begin.Add(time.Duration(seconds * float64(time.Second)))
	return l.free, true
}

// lose draws whether the next packet is lost. In Gilbert's model a bad state of the mean length b is left with the
// probability 1/b; for a share p of all packets in the bad state, it is entered with the probability p / (b(1-p)).
func (l *line) lose() bool {
	draw := l.random.Float64()
	switch {
	case l.Burst <= 1:
		return draw < l.Loss
	case l.bad:
		l.bad = draw >= 1/l.Burst
	default:
		l.bad = draw < l.Loss/(l.Burst*(1-l.Loss))
	}
	return l.bad
}
