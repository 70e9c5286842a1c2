package publish

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/internal/ids"
)

// Chaos runs many short sessions against several servers that share one store, while whoever calls it lets servers fail. Its ledger holds what each
// client saw against what the store has in the end.
type Chaos struct {
	// Options are those of a session, of which Client.Server is not used; Sessions run at once, at least Stagger apart. Of Signalling, WHIP and
	// WebSocket take turns.
	Options
	Servers []string // base URLs, used in turn; those that do not answer are passed over
	Count   int      // sessions, ≥ 1
	Leave   float64  // share of the clients that vanish at a random moment, as a closed tab does, in [0, 1]
	Astray  float64  // share of the clients that come to another server than that of their session, in [0, 1]
	// Settle is how long the records may take to end after the last session.
	Settle time.Duration
	// Clip is the video of session i; neverLive says that it must not be judged live.
	Clip func(i int) (clip *Clip, neverLive bool)
	// Progress is called after each session and each comparison, one call at a time; may be nil.
	Progress func(ChaosProgress)
}

// ChaosProgress is how far a run is.
type ChaosProgress struct {
	Run      int // sessions whose clients are done
	Compared int // of them, those that have been compared with the store; this begins when all are run
	Faulty   int // sessions with a fault so far: of those that are run, by what their clients saw; of those that are compared, in full
}

// Validate reports every option that is out of range; each error begins with its name.
func (c Chaos) Validate() error {
	errs := []error{
		check.AtLeast("chaos", c.Count, 1), check.AtLeast("sessions", c.Sessions, 1), check.In("leave", c.Leave, 0, 1), check.In("astray", c.Astray, 0, 1),
		check.In("settle_records", c.Settle, time.Second, time.Hour), check.That("nodes", len(c.Servers) > 0, "names no server"),
	}
	for _, s := range c.Servers {
		errs = append(errs, check.That("nodes", IsAddress(s), "%q is not an address such as http://127.0.0.1:8080", s))
	}
	if c.Network != nil {
		errs = append(errs, c.Network.Validate())
	}
	return errors.Join(errs...)
}

// Fate is how a client's part in a session ended.
type Fate string

// The fates.
const (
	FateRefused     Fate = "refused"     // no server made a session
	FateUnconnected Fate = "unconnected" // there was a session, and no connection to it
	FateLeft        Fate = "left"        // the client vanished
	FateEnded       Fate = "ended"       // the server ended the session, or the video was over
)

// Entry is one session in the ledger.
type Entry struct {
	ExternalID string `json:"external_id"`
	Session    string `json:"session,omitempty"`
	Fate       Fate   `json:"fate"`
	Error      string `json:"error,omitempty"`
	Astray     bool   `json:"astray,omitempty"`
	NeverLive  bool   `json:"never_live,omitempty"`
	// Told is the result of the signalling's last message: pass, fail, retry; empty without one.
	Told string `json:"told,omitempty"`
	// Seen is the ended record that this client read just after its session; zero without one.
	Seen Status `json:"seen"`
	// Stored is the record in the end.
	Stored Status `json:"stored"`
	// Faults are what must not be.
	Faults []string `json:"faults,omitempty"`
}

// patience is how long a client looks for a server that makes its session.
const patience = 30 * time.Second

// Run runs all sessions and compares. An error says that the comparison could not be made; faults are in the entries.
func (c Chaos) Run(ctx context.Context) ([]Entry, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Client.HTTP == nil {
		c.Client.HTTP = c.newHTTP()
		defer c.Client.HTTP.CloseIdleConnections()
	}
	run, progress := ids.New(time.Now()), c.newProgress()
	entries := make([]Entry, c.Count)
	places := make(chan struct{}, c.Sessions)
	var running sync.WaitGroup
	for i := range entries {
		if i > 0 {
			_ = sleep(ctx, c.Stagger) // the end of ctx shows below
		}
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			entries[i] = c.session(ctx, i, fmt.Sprintf("%s-%d", run, i))
			progress.ran(entries[i])
		})
	}
	running.Wait()
	return entries, c.audit(ctx, entries, progress)
}

// newHTTP keeps a connection to each server for each session that runs.
func (c Chaos) newHTTP() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // its documented type
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, c.Sessions
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}
}

// chaosProgress counts; it is safe for concurrent use.
type chaosProgress struct {
	mu   sync.Mutex
	now  ChaosProgress
	tell func(ChaosProgress)
}

func (c Chaos) newProgress() *chaosProgress {
	if c.Progress == nil {
		return &chaosProgress{tell: func(ChaosProgress) {}}
	}
	return &chaosProgress{tell: c.Progress}
}

func (p *chaosProgress) ran(e Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Run++
	if e.contradictsItself() {
		p.now.Faulty++
	}
	p.tell(p.now)
}

func (p *chaosProgress) compared(e Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Compared++
	if len(e.Faults) > 0 && !e.contradictsItself() { // which is counted already
		p.now.Faulty++
	}
	p.tell(p.now)
}

// session runs one client.
func (c Chaos) session(ctx context.Context, i int, externalID string) Entry {
	clip, never := c.Clip(i)
	e := Entry{ExternalID: externalID, NeverLive: never, Astray: len(c.Servers) > 1 && rand.Float64() < c.Astray} //nolint:gosec // no secret
	s, at, err := c.open(ctx, i, externalID)
	if err != nil {
		e.Fate, e.Error = FateRefused, err.Error()
		return e
	}
	e.Session = s.ID
	o := c.Options
	o.Network = o.Network.Of(uint64(i))
	o.Signalling = []Signalling{SignallingWHIP, SignallingWebSocket}[i%2]
	first := s
	if e.Astray {
		first = atServer(s, c.Servers[(at+1)%len(c.Servers)])
	}
	p, err := connect(ctx, o, clip, first, s, s)
	if err != nil {
		e.Fate, e.Error = FateUnconnected, err.Error()
		return e
	}
	e.Fate = c.follow(ctx, p, clip)
	e.Told = p.told()
	if e.Fate == FateEnded {
		e.Seen = c.seen(ctx, s.ID)
	}
	return e
}

// open creates the session at the first server that does so, beginning with the i-th. The key makes it one session, however often it is asked for.
func (c Chaos) open(ctx context.Context, i int, externalID string) (s Session, at int, err error) {
	for n, until := 0, time.Now().Add(patience); time.Now().Before(until) && ctx.Err() == nil; n++ {
		at = (i + n) % len(c.Servers)
		client := c.Client
		client.Server = c.Servers[at]
		if s, err = client.create(ctx, creation{Mode: c.Mode, ExternalID: externalID}, externalID); err == nil {
			return s, at, nil
		}
		_ = sleep(ctx, 200*time.Millisecond) // the end of ctx shows above
	}
	return s, at, errors.Join(err, ctx.Err())
}

// connect tries one address of the session after another, as its server may be starting again.
func connect(ctx context.Context, o Options, clip *Clip, at ...Session) (p *Publisher, err error) {
	for i, s := range at {
		if i > 0 {
			_ = sleep(ctx, time.Second) // the end of ctx shows in Connect
		}
		connecting, cancel := context.WithTimeout(ctx, 10*time.Second)
		p, err = Connect(connecting, o, s, clip)
		cancel()
		if err == nil {
			return p, nil
		}
	}
	return nil, err
}

// atServer is the session whose client is told another server's address.
func atServer(s Session, server string) Session {
	move := func(address, scheme string) string {
		u, err := url.Parse(address)
		if err != nil {
			return address
		}
		return scheme + u.Path
	}
	base := strings.TrimSuffix(server, "/")
	s.WHIPURL, s.SignalURL = move(s.WHIPURL, base), move(s.SignalURL, "ws"+strings.TrimPrefix(base, "http"))
	return s
}

// follow sends the clip until the session ends or the client leaves.
func (c Chaos) follow(ctx context.Context, p *Publisher, clip *Clip) Fate {
	sending, stop := context.WithCancel(ctx)
	var sender sync.WaitGroup
	over := make(chan struct{})
	sender.Go(func() { defer close(over); _ = p.Send(sending, clip) })
	defer sender.Wait()
	defer stop()
	leave := make(<-chan time.Time)
	if rand.Float64() < c.Leave { //nolint:gosec // no secret
		leave = time.After(rand.N(3 * time.Second)) //nolint:gosec // no secret
	}
	select {
	case <-leave:
		_ = p.Abandon()
		return FateLeft
	case <-p.Ended():
		select { // who says bye before the result has come is told none
		case <-p.saidAll():
		case <-time.After(signalWait):
		}
	case <-over:
		_ = sleep(ctx, tail)
	}
	ending, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	_ = p.Close(ending) // a server that is gone shows in the record
	return FateEnded
}

// seen is the session's record as soon as it has ended; zero when it has not, or when no server answers.
func (c Chaos) seen(ctx context.Context, id string) Status {
	for until := time.Now().Add(endWait / 4); time.Now().Before(until); _ = sleep(ctx, 100*time.Millisecond) {
		for _, got := range c.records(ctx, id) {
			if got.State.Terminal() {
				return got
			}
		}
	}
	return Status{}
}

// records reads the session at every server that answers.
func (c Chaos) records(ctx context.Context, id string) (found []Status) {
	for _, server := range c.Servers {
		client := c.Client
		client.Server = server
		if got, err := client.Status(ctx, id); err == nil {
			found = append(found, got)
		}
	}
	return found
}

// resultOf is what clients are told of an outcome.
func resultOf(s Status) string { return string(s.Verdict.Result()) }
