package publish

import (
	"context"
	"errors"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// Options say how many sessions are run, and on which server.
type Options struct {
	Client   Client
	Mode     liveproof.Mode
	Sessions int           // at once, ≥ 1
	Stagger  time.Duration // between the starts of two sessions
	// Connected is called for each session as soon as its media can flow, also by several goroutines at
	// once; may be nil.
	Connected func(Session)
}

// Validate reports every option that is out of range; each error begins with its name.
func (o Options) Validate() error {
	return errors.Join(
		check.That("server", isURL(o.Client.Server), "%q is not an address such as http://127.0.0.1:8080", o.Client.Server),
		check.That("metrics", o.Client.Metrics == "" || isURL(o.Client.Metrics), "%q is not an address such as http://127.0.0.1:9464/metrics", o.Client.Metrics),
		check.AtLeast("sessions", o.Sessions, 1),
		check.AtLeast("stagger", o.Stagger, 0),
	)
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != ""
}

// Result is the result of one session.
type Result struct {
	// SecondsToVerdict is the time from the first packet of an onboarding session until this client
	// could read its verdict; 0: there was none before the clip ended.
	SecondsToVerdict float64 `json:"seconds_to_verdict,omitempty"`

	Session   string            `json:"session"`
	Seconds   float64           `json:"seconds"` // for which media flowed
	Sampled   int64             `json:"sampled"`
	Scored    int64             `json:"scored"`
	PerSecond float64           `json:"scored_per_second"`
	Outcome   liveproof.Outcome `json:"verdict"`
	// Refused says that the server had no capacity for the session; the other fields are then empty.
	Refused bool `json:"refused,omitempty"`
}

// File sends an IVF file to a session of its own, once, in real time.
func File(ctx context.Context, c Client, mode liveproof.Mode, path string) (Result, error) {
	clip, err := ReadIVF(path)
	if err != nil {
		return Result{}, err
	}
	return one(ctx, Options{Client: c, Mode: mode}, clip)
}

// Run sends the clip to every session once. The first failure ends all
// sessions. A session that the server has no capacity for is not a failure: its result is
// Refused.
func Run(ctx context.Context, o Options, clip *Clip) ([]Result, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	results := make([]Result, o.Sessions)
	group, ctx := errgroup.WithContext(ctx)
	for i := range results {
		group.Go(func() (err error) {
			select {
			case <-time.After(time.Duration(i) * o.Stagger):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			results[i], err = one(ctx, o, clip)
			if errors.Is(err, liveproof.ErrOverloaded) {
				results[i], err = Result{Refused: true}, nil
			}
			return err
		})
	}
	return results, group.Wait()
}

// one creates a session, sends the clip, ends the session and reads its result.
func one(ctx context.Context, o Options, clip *Clip) (r Result, err error) {
	c := o.Client
	s, err := c.Create(ctx, o.Mode)
	if err != nil {
		return r, err
	}
	p, err := Connect(ctx, c.http(), s, clip)
	if err != nil {
		return r, err
	}
	if o.Connected != nil {
		o.Connected(s)
	}
	start := time.Now()
	verdict, err := o.send(ctx, p, s, clip)
	sent := time.Since(start).Seconds()
	ctx = context.WithoutCancel(ctx)
	if err = errors.Join(err, p.Close(ctx)); err != nil {
		return r, err
	}
	got, err := c.Status(ctx, s.ID)
	return Result{
		Session: s.ID, Seconds: sent, Sampled: got.Frames.Sampled, Scored: got.Frames.Scored,
		PerSecond: float64(got.Frames.Scored) / sent, Outcome: got.Verdict, SecondsToVerdict: verdict.Seconds(),
	}, err
}

// send sends the clip until it ends, until an onboarding session has its verdict, or until ctx ends
// with the cause errEnough, which is no error.
func (o Options) send(ctx context.Context, p *Publisher, s Session, clip *Clip) (verdict time.Duration, err error) {
	if o.Mode == liveproof.ModeOnboarding {
		verdict, err = sendUntilVerdict(ctx, o.Client, p, s, clip)
	} else {
		err = p.Send(ctx, clip)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return verdict, err
}
