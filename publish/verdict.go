package publish

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
)

// The server closes the connection just before it writes the verdict. From then on the client asks for
// the verdict every endPoll. Until then it asks every statusPoll, in case it misses the closing.
const (
	endPoll    = 10 * time.Millisecond
	statusPoll = time.Second
)

// errEnough ends the sending of a clip that need not be sent to its end.
var errEnough = errors.New("enough was sent")

// sendUntilVerdict sends the clip until the session has ended. took is the time until the verdict
// could be read; 0: there was none.
func sendUntilVerdict(ctx context.Context, c Client, p *Publisher, s Session, clip *Clip) (took time.Duration, err error) {
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return enough(p.Send(ctx, clip)) })
	group.Go(func() error {
		got, err := c.awaitEnd(ctx, s.ID, p.left)
		if err == nil && got.State == liveproof.StateDecided {
			took = time.Since(start)
		}
		return enough(err)
	})
	err = group.Wait()
	return took, err
}

// enough turns success into errEnough, so that it ends the other goroutine of the group.
func enough(err error) error {
	if err == nil {
		return errEnough
	}
	return err
}

// awaitEnd returns the session when it has ended; left is closed shortly before that.
func (c Client) awaitEnd(ctx context.Context, id string, left <-chan struct{}) (Status, error) {
	poll := time.NewTicker(statusPoll)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
		case <-left:
			left = nil
			poll.Reset(endPoll)
		case <-ctx.Done():
			return Status{}, context.Cause(ctx)
		}
		if got, err := c.Status(ctx, id); err != nil || got.State.Terminal() {
			return got, err
		}
	}
}

// VerdictTimes are the times to the verdict of many sessions, in seconds.
type VerdictTimes struct {
	Sessions  int     `json:"sessions"`  // with a verdict
	Undecided int     `json:"undecided"` // sessions without one
	Refused   int     `json:"refused"`   // sessions that the server refused for lack of capacity
	Median    float64 `json:"median_s"`
	P95       float64 `json:"p95_s"`
	Worst     float64 `json:"worst_s"`
}

// SummarizeVerdicts gives quantiles by nearest rank, so that each is a measured time.
func SummarizeVerdicts(results []Result) VerdictTimes {
	var times []float64
	var v VerdictTimes
	for _, r := range results {
		switch {
		case r.Refused:
			v.Refused++
		case r.SecondsToVerdict > 0:
			times = append(times, r.SecondsToVerdict)
		default:
			v.Undecided++
		}
	}
	v.Sessions = len(times)
	if len(times) == 0 {
		return v
	}
	slices.Sort(times)
	rank := func(q float64) float64 { return times[int(math.Ceil(q*float64(len(times))))-1] }
	v.Median, v.P95, v.Worst = rank(.5), rank(.95), times[len(times)-1]
	return v
}
