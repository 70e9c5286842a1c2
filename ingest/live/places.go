package live

import (
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live/admission"
)

// bookedFor is how long a created session keeps its place until its client connects. It is short, so that
// sessions without a client do not keep others out. A client that connects later needs a free place.
const bookedFor = 10 * time.Second

// settlingWait is how long it takes until the cost of the newest sessions is known well enough to admit more.
const settlingWait = 2 * time.Second

// places counts the sessions that a server has capacity for; the supervisor's mutex guards it.
type places struct {
	limit     Limit
	policy    *admission.Policy // nil: nothing is measured
	turnover  admission.Turnover
	booked    map[liveproof.SessionID]time.Time // when the booking ends, by session
	streaming int
}

func newPlaces(limit Limit, c *Capacity) places {
	p := places{limit: limit, booked: make(map[liveproof.SessionID]time.Time)}
	if c != nil {
		p.policy = admission.New(c.SampleRate)
	}
	return p
}

// books reports whether places are booked: a fixed number counts connected sessions only.
func (p *places) books() bool { return p.limit == Auto && p.policy != nil }

// lapse frees the booked places whose time has passed.
func (p *places) lapse(now time.Time) {
	for id, until := range p.booked {
		if !now.Before(until) {
			delete(p.booked, id)
			p.turnover.Freed(now)
		}
	}
}

// refuse says why one more session beside the connected ones does not fit; nil when it does.
func (p *places) refuse(now time.Time, connected int) *Refusal {
	p.lapse(now)
	if why := p.against(connected, len(p.booked)); why != "" {
		return p.refusal(now, why)
	}
	return nil
}

// against is why one more session beside so many connected ones and booked places does not fit; "" when it does.
func (p *places) against(connected, booked int) Reason {
	switch {
	case p.limit != Auto && connected >= int(p.limit):
		return RefusedNumber
	case p.books():
		return p.policy.Admit(admission.Sessions{Booked: booked, Connecting: connected - p.streaming, Streaming: p.streaming})
	}
	return ""
}

func (p *places) refusal(now time.Time, why Reason) *Refusal {
	wait := p.turnover.Wait(now)
	if why == admission.Settling {
		wait = min(wait, settlingWait)
	}
	return &Refusal{Reason: why, RetryAfter: wait}
}

// book takes a place for a session that no client has connected to yet.
func (p *places) book(now time.Time, id liveproof.SessionID) {
	if p.books() {
		p.booked[id] = now.Add(bookedFor)
	}
}

// connect gives a place to a session whose client is here: its booked one, a free one, or those that were booked
// longest ago by others. Else clients who take longer than bookedFor, or who were sent to another server, would never
// get in while new sessions are created; whose place was taken meets the same rule when he comes.
func (p *places) connect(now time.Time, id liveproof.SessionID, connected int) *Refusal {
	if p.take(now, id) {
		return nil
	}
	if why := p.against(connected, 0); why != "" {
		return p.refusal(now, why)
	}
	for len(p.booked) > 0 && p.against(connected, len(p.booked)) != "" {
		delete(p.booked, p.oldest())
	}
	return nil
}

// oldest is the session whose place was booked first.
func (p *places) oldest() (oldest liveproof.SessionID) {
	for id, until := range p.booked {
		if oldest == "" || until.Before(p.booked[oldest]) {
			oldest = id
		}
	}
	return oldest
}

// take turns the session's booked place into a connected one; false when it has none.
func (p *places) take(now time.Time, id liveproof.SessionID) bool {
	p.lapse(now)
	_, booked := p.booked[id]
	delete(p.booked, id)
	return booked
}

// freed counts a connected session that has ended.
func (p *places) freed(now time.Time, streamed bool) {
	if streamed {
		p.streaming--
	}
	p.turnover.Freed(now)
}
