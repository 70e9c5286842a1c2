package rtc

import (
	"sync/atomic"
	"time"
)

const (
	// rateInterval is how long bytes and losses are counted before the sender may be asked again.
	rateInterval = 500 * time.Millisecond
	// growth is by how much more is asked for after each interval, about 1.5 times a second.
	growth = 1.25
	// follows is the part of the bitrate asked for that a sender must reach before it is asked for still more: one whose
	// picture needs less, or that cannot send more, would otherwise be allowed a burst.
	follows = 0.7
	// leastRequest is the least that is asked for as long as nothing is lost, in bit/s: the default of senders that only follow
	// such requests. A sender that sent less so far may have had a simple picture; a smaller request would lower its limit.
	leastRequest = 500e3
	// mostRequest, in bit/s: at 640×480 almost every encoder is fine enough with it (docs/encoders.md).
	mostRequest = 2.5e6
	// heavyLoss is the share of packets above which less is asked for. backOff is applied to what still arrives.
	heavyLoss = 0.05
	backOff   = 0.85
	// opening is how long, from the first packet, more is asked for without a wish: a sender begins with a low bitrate, and an
	// onboarding check takes a few seconds.
	opening = 3 * time.Second
)

// bitrate asks a sender that has no estimate of its own for a higher one: by receiver estimated maximum bitrate (REMB,
// draft-alvestrand-rmcat-remb-03), for the sum of its streams. It asks while the stream begins and while PreferFiner is called, never
// for more while packets are lost, and for less then; but never for less than the sender sent on its own.
//
// All methods but preferFiner are for one goroutine.
type bitrate struct {
	send   func(bitsPerSecond float64)
	wanted atomic.Bool // PreferFiner was called

	begun  time.Time
	since  time.Time // of the interval
	bytes  int       // in it, of all streams of the camera, retransmissions included
	first  float64   // bit/s of the first interval
	target float64   // bit/s asked for last, 0 for never
}

// preferFiner wishes for a higher bitrate; safe for concurrent use.
func (b *bitrate) preferFiner() { b.wanted.Store(true) }

// count takes a packet, and reports whether it ends an interval: then review must follow.
func (b *bitrate) count(bytes int, now time.Time) (over bool) {
	if b.since.IsZero() {
		b.begun, b.since = now, now
	}
	b.bytes += bytes
	return now.Sub(b.since) >= rateInterval
}

// review ends an interval in which this share of the packets was lost.
func (b *bitrate) review(lost float64, now time.Time) {
	measured := float64(b.bytes) * 8 / now.Sub(b.since).Seconds()
	b.bytes, b.since = 0, now
	if b.first == 0 {
		b.first = measured
	}
	wanted := b.wanted.Swap(false) || now.Sub(b.begun) < opening
	next := b.next(measured, lost, wanted)
	if next == b.target && !wanted {
		return
	}
	if b.target = next; next > 0 {
		b.send(next)
	}
}

// next is what to ask for, in bit/s.
func (b *bitrate) next(measured, lost float64, wanted bool) float64 {
	switch {
	case lost > heavyLoss:
		if b.target == 0 { // the sender was never asked, so the losses are not due to that
			return 0
		}
		return min(b.target, max(b.first, backOff*measured))
	case !wanted || b.target > 0 && measured < follows*b.target:
		return b.target
	}
	return max(b.target, min(mostRequest, max(leastRequest, growth*max(measured, b.target))))
}
