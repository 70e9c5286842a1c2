package store

import (
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

// maxScan bounds the records that one List reads, so that a filter that few sessions pass does not make it long.
const maxScan = 500

// bounds are the ids among which a query's sessions are: low ≤ id < high; empty: no bound. SessionQuery.Matches has the last
// word, because an id knows only the millisecond of its time.
func bounds(q liveproof.SessionQuery) (low, high liveproof.SessionID) {
	if !q.From.IsZero() {
		low = liveproof.SessionID(ids.Bound(q.From))
	}
	if !q.Until.IsZero() {
		high = liveproof.SessionID(ids.Bound(q.Until.Add(time.Millisecond)))
	}
	if q.After != "" && (high == "" || q.After < high) {
		high = q.After
	}
	return low, high
}
