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

// verdictPoll is how often a session is read while its verdict is awaited. What is measured is
// too long by this and a request at most.
const verdictPoll = 20 * time.Millisecond

// errEnough ends the sending of a clip that need not be sent to its end.
var errEnough = errors.New("enough was sent")

// sendUntilVerdict sends the clip until the session has ended, and says how long it took until the
// verdict could be read; 0: there was none.
func sendUntilVerdict(ctx context.Context, c Client, p *Publisher, s Session, clip *Clip) (took time.Duration, err error) {
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return enough(p.Send(ctx, clip)) })
	group.Go(func() error {
		got, err := c.awaitEnd(ctx, s.ID)
		if err == nil && got.State == liveproof.StateDecided {
			took = time.Since(start)
		}
		return enough(err)
	})
	err = group.Wait()
	return took, err
}

// enough makes success an error too, so that it ends the other goroutine of a group.
func enough(err error) error {
	if err == nil {
		return errEnough
	}
	return err
}

// awaitEnd reads the session again and again until it has ended.
func (c Client) awaitEnd(ctx context.Context, id string) (Status, error) {
	tick := time.NewTicker(verdictPoll)
	defer tick.Stop()
	for {
		if got, err := c.Status(ctx, id); err != nil || got.State.Terminal() {
			return got, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Status{}, context.Cause(ctx)
		}
	}
}

// VerdictTimes are the times to the verdict of many sessions, in seconds.
type VerdictTimes struct {
	Sessions  int     `json:"sessions"`  // with a verdict
	Undecided int     `json:"undecided"` // sessions without one
	Median    float64 `json:"median_s"`
	P95       float64 `json:"p95_s"`
	Worst     float64 `json:"worst_s"`
}

// SummarizeVerdicts gives quantiles by nearest rank: each of them is a time that was measured.
func SummarizeVerdicts(results []Result) VerdictTimes {
	var times []float64
	for _, r := range results {
		if r.SecondsToVerdict > 0 {
			times = append(times, r.SecondsToVerdict)
		}
	}
	v := VerdictTimes{Sessions: len(times), Undecided: len(results) - len(times)}
	if len(times) == 0 {
		return v
	}
	slices.Sort(times)
	rank := func(q float64) float64 { return times[int(math.Ceil(q*float64(len(times))))-1] }
	v.Median, v.P95, v.Worst = rank(.5), rank(.95), times[len(times)-1]
	return v
}
