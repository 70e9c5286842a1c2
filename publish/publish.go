package publish

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// Signalling says how a publisher negotiates with the server.
type Signalling string

// The ways that the server knows.
const (
	SignallingWHIP      Signalling = "whip"      // RFC 9725
	SignallingWebSocket Signalling = "websocket" // that of the web component
)

// Options say how clips are sent, and to which server.
type Options struct {
	Client     Client
	Mode       liveproof.Mode
	Signalling Signalling // "" is whip
	Network    *Network   // impairs what is sent; nil: nothing is impaired

	// Sessions run at once, ≥ 1. Of Run, Load and Measure.
	Sessions int
	// Stagger is the least time between the starts of two sessions, ≥ 0. Of Run, Load and Measure.
	Stagger time.Duration

	// Patience is how long a session for which the server has no capacity is asked for again, each time after the server's Retry-After;
	// 0: it is asked for once.
	Patience time.Duration

	// Timeline makes results hold the samples, and what is computed from them. The server is asked once more for each session.
	Timeline bool
	// Connected is called for each session as soon as its media can flow, also by several goroutines at
	// once; may be nil.
	Connected func(Session)
	// Sent is called with the share of the clip that a session has sent, in (0,1], also by several goroutines at once; may be nil.
	Sent func(s Session, share float64)
}

// Validate reports every option that is out of range; each error begins with its name.
func (o Options) Validate() error {
	var network error
	if o.Network != nil {
		network = o.Network.Validate()
	}
	return errors.Join(
		check.That("server", IsAddress(o.Client.Server), "%q is not an address such as http://127.0.0.1:8080", o.Client.Server),
		check.That("metrics", o.Client.Metrics == "" || IsAddress(o.Client.Metrics), "%q is not an address such as http://127.0.0.1:9464/metrics", o.Client.Metrics),
		check.OneOf("signalling", string(cmp.Or(o.Signalling, SignallingWHIP)), string(SignallingWHIP), string(SignallingWebSocket)),
		check.AtLeast("sessions", o.Sessions, 1),
		check.AtLeast("stagger", o.Stagger, 0),
		check.AtLeast("patience", o.Patience, 0),
		network,
	)
}

// IsAddress reports whether s is an address of a server, such as http://127.0.0.1:8080.
func IsAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != ""
}

// Run sends a clip to each of count sessions. At most o.Sessions run at once, and each starts at least o.Stagger after the one
// before. clip is called when session i starts, by one goroutine at a time. done is called when session i has ended, one call at a time
// and in the order in which sessions end. A session that the server has no capacity for is not an error: its result is Refused. An
// error of one session ends no other; when ctx ends, all sessions end with its cause.
func Run(ctx context.Context, o Options, count int, clip func(i int) (*Clip, error), done func(i int, r Result, err error)) error {
	if err := o.Validate(); err != nil {
		return err
	}
	var telling sync.Mutex
	tell := func(i int, r Result, err error) {
		telling.Lock()
		defer telling.Unlock()
		done(i, r, err)
	}
	places := make(chan struct{}, o.Sessions)
	var running sync.WaitGroup
	defer running.Wait()
	for i := range count {
		if i > 0 {
			_ = sleep(ctx, o.Stagger) // the end of ctx shows below
		}
		places <- struct{}{}
		c, err := clip(i)
		running.Go(func() {
			defer func() { <-places }()
			var r Result
			if err == nil {
				o := o
				o.Network = o.Network.Of(uint64(i))
				r, err = Judge(ctx, o, c)
			}
			tell(i, r, err)
		})
	}
	return nil
}

// Judge creates a session, sends the clip once in real time, ends the session and returns its result. An onboarding session ends with
// its verdict, also before the clip does. A session that the server has no capacity for is not an error: the result is Refused.
func Judge(ctx context.Context, o Options, clip *Clip) (Result, error) {
	refusals := 0
	for until := time.Now().Add(o.Patience); ; {
		r, err := o.judge(ctx, clip)
		full, refused := errors.AsType[*overload](err)
		if !refused {
			r.Refusals = refusals
			return r, err
		}
		refusals++
		wait := max(time.Second, full.retryAfter)
		if time.Now().Add(wait).After(until) {
			return Result{Refused: true, Refusals: refusals}, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return Result{}, err
		}
	}
}

func (o Options) judge(ctx context.Context, clip *Clip) (r Result, err error) {
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	s, err := o.Client.Create(ctx, o.Mode)
	if err != nil {
		return r, err
	}
	p, err := Connect(ctx, o, s, clip)
	if err != nil {
		return r, err
	}
	if o.Connected != nil {
		o.Connected(s)
	}
	t := transmission{o: o, p: p, s: s, clip: clip}
	err = t.run(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWait)
	defer cancel()
	if err = errors.Join(err, p.Close(ctx)); err != nil {
		return r, err
	}
	return t.result(ctx)
}
