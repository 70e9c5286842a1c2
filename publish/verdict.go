package publish

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
)

// The server closes the connection just before it writes the verdict. From then on the client asks for
// the verdict every endPoll. Until then it asks every statusPoll, in case it misses the closing.
const (
	endPoll    = 10 * time.Millisecond
	statusPoll = time.Second
	// tail is how long a session goes on after the clip's last picture, so that the server judges the pictures that it still holds.
	tail = 500 * time.Millisecond
	// endWait bounds the end of a session: all requests from the clip's end to the result.
	endWait = 20 * time.Second
)

// errEnough ends the sending of a clip that need not be sent to its end.
var errEnough = errors.New("enough was sent")

// transmission is one clip on its way to one session.
type transmission struct {
	o       Options
	p       *Publisher
	s       Session
	clip    *Clip
	sending time.Duration // from the first picture to the last one that was sent
	verdict time.Duration // from the first picture until the verdict of an onboarding session could be read; 0: there was none
}

// run sends the clip until it ends, until an onboarding session has ended, or until ctx ends with the cause errEnough, which is no error.
func (t *transmission) run(ctx context.Context) error {
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return enough(t.send(ctx, start)) })
	if t.o.Mode == liveproof.ModeOnboarding {
		group.Go(func() error { return enough(t.await(ctx, start)) })
	}
	if err := group.Wait(); !errors.Is(err, errEnough) {
		return err
	}
	return nil
}

// send sends the clip and leaves the server the time to judge its last pictures.
func (t *transmission) send(ctx context.Context, start time.Time) error {
	err := t.p.send(ctx, t.clip, func(pictures int) {
		if t.o.Sent != nil {
			t.o.Sent(t.s, float64(pictures)/float64(t.clip.Frames()))
		}
	})
	t.sending = time.Since(start)
	if err != nil {
		return err
	}
	return sleep(ctx, tail)
}

// await waits for the session's end.
func (t *transmission) await(ctx context.Context, start time.Time) error {
	got, err := t.o.Client.awaitEnd(ctx, t.s.ID, t.p.left)
	if err == nil && got.State == liveproof.StateDecided {
		t.verdict = time.Since(start)
	}
	return err
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
