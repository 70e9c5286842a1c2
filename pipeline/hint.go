package pipeline

import (
	"time"

	"github.com/liveproof/liveproof"
)

// hinter turns the samples' reasons into one steady hint: a change is told only
// once it has held for the delay.
type hinter struct {
	delay time.Duration
	told  liveproof.Reason // "" is: all is well
	next  liveproof.Reason
	since time.Duration // of next
}

// observe takes the newest sample at time now; ok says that the hint has changed.
// A hint about the view comes before one about the network, and that one before wanting, the evidence that alone is missing ("" if
// none is).
func (h *hinter) observe(s liveproof.Sample, lossy bool, wanting liveproof.Reason, now time.Duration) (hint liveproof.Reason, ok bool) {
	reason, known := hintOf(s)
	switch {
	case lossy && reason == "":
		reason = liveproof.ReasonPacketLoss
	case known && reason == "" && wanting.Hint():
		reason = wanting
	case !known:
		return "", false
	}
	return h.propose(reason, now)
}

// propose takes the hint that fits at time now.
func (h *hinter) propose(reason liveproof.Reason, now time.Duration) (hint liveproof.Reason, ok bool) {
	if reason != h.next {
		h.next, h.since = reason, now
	}
	if h.next == h.told || now-h.since < h.delay {
		return "", false
	}
	h.told = h.next
	return h.told, true
}

// hintOf is what the person can change about this sample; unknown when the sample
// says nothing about the view (the server dropped it).
func hintOf(s liveproof.Sample) (hint liveproof.Reason, known bool) {
	if s.Scored {
		return "", true
	}
	for _, r := range s.Reasons {
		if r.Hint() {
			return r, true
		}
	}
	return "", false
}
