package pipeline

import (
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// lossSpan is over how much time loss is looked at.
	lossSpan = 3 * time.Second
	// lossShare of the access units that came gave no picture: heavy loss.
	lossShare = 0.25
	// lossLeast is how many access units a share needs.
	lossLeast = 15
)

// loss follows what share of the source's access units gave no picture, because
// it was damaged or refers to one that was lost.
type loss struct{ past []lossCount }

type lossCount struct {
	at                time.Duration
	received, dropped int64
}

// observe takes the source's counts at time now.
func (l *loss) observe(now time.Duration, c liveproof.FrameCounts) {
	if len(l.past) == 0 {
		l.past = append(l.past, lossCount{})
	}
	l.past = append(l.past, lossCount{now, c.Received, c.Dropped})
	old := 0
	for old < len(l.past)-2 && now-l.past[old+1].at >= lossSpan {
		old++
	}
	l.past = slices.Delete(l.past, 0, old)
}

// heavy says that too much was lost within lossSpan for the picture to be judged well.
func (l *loss) heavy() bool {
	if len(l.past) == 0 {
		return false
	}
	from, to := l.past[0], l.past[len(l.past)-1]
	received, dropped := to.received-from.received, to.dropped-from.dropped
	return received >= lossLeast && float64(dropped) >= lossShare*float64(received)
}

// named adds packet_loss behind the first reason of a verdict that lacked evidence.
func (l *loss) named(v liveproof.Verdict) liveproof.Verdict {
	if v.Outcome == liveproof.OutcomeInconclusive && l.heavy() && !slices.Contains(v.Reasons, liveproof.ReasonPacketLoss) {
		v.Reasons = slices.Insert(v.Reasons, min(1, len(v.Reasons)), liveproof.ReasonPacketLoss)
	}
	return v
}
