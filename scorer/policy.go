package scorer

import "time"

// flushReason says why a batch was sent off; it labels a metric.
type flushReason string

const (
	flushFull   flushReason = "full"   // as many crops as one run takes
	flushWaited flushReason = "waited" // the oldest crop waited for MaxWait
	flushIdle   flushReason = "idle"   // nothing runs: waiting would only waste the backend
	flushTurn   flushReason = "turn"   // full batches' worth waits, but of several models: the first must not hold up the others
)

// policy decides for a free worker when waiting crops become a batch. It has no clock,
// no goroutine and no state: the same input always gives the same answer.
type policy struct {
	MaxBatch int
	MaxWait  time.Duration
}

// pending is what the decision rests on.
type pending struct {
	Waiting int       // crops in the queue, of all models
	Next    int       // those that the next batch may take: of one model
	Oldest  time.Time // when the oldest of them came
	Running int       // batches that run now
}

// decision is either a flush with its reason or, with an empty reason, the time after
// which to ask again; Again 0 means not before something changes.
type decision struct {
	Flush flushReason
	Again time.Duration
}

func (p policy) decide(s pending, now time.Time) decision {
	if s.Waiting == 0 {
		return decision{}
	}
	left := p.MaxWait - now.Sub(s.Oldest)
	switch {
	case s.Next >= p.MaxBatch:
		return decision{Flush: flushFull}
	case left <= 0:
		return decision{Flush: flushWaited}
	case s.Running == 0:
		return decision{Flush: flushIdle}
	case s.Waiting >= p.MaxBatch:
		return decision{Flush: flushTurn}
	}
	return decision{Again: left}
}
