package live

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/internal/ids"
)

// ErrRenegotiation says that a later offer of the client asks for more than an ICE restart.
var ErrRenegotiation = errors.New("the offer was made already; only ICE can be renewed")

// ErrAttested says that the client has made its statement about itself already.
var ErrAttested = errors.New("the client has attested already")

// restartTimeout bounds the answer to an ICE restart, which takes milliseconds.
const restartTimeout = 5 * time.Second

// Connection is one connected session. Its goroutine (run) alone decides how the
// session ends; all other code can only ask for the end (HangUp, Abandon,
// Abort).
type Connection struct {
	// ID names the connection, a ULID.
	ID string
	// Log carries the session's id.
	Log *slog.Logger

	sup      *Supervisor
	session  liveproof.Session
	tokenID  string
	listener Listener
	claimed  bool // this server has the session's lease; guarded by the supervisor's mutex
	streams  bool // its first video has arrived; guarded by the supervisor's mutex
	peer     Peer // nil when no peer connection could be made

	ctx       context.Context
	cancel    context.CancelCauseFunc
	connectBy time.Time             // when negotiation must be done and media must flow
	streaming chan struct{}         // closed when the first video track has arrived
	endings   chan liveproof.Ending // holds the analyzer's ending
	hungUp    request               // end the media and judge what came
	abandoned request               // the signalling connection was lost
	aborted   request               // end now
	negotiate struct {
		sync.Mutex
		done bool
	}
	asked  asked
	spans  *spans
	able   atomic.Bool // the client says that it follows a probe
	mu     sync.Mutex
	attest string           // the client's statement about itself; empty without one
	reason liveproof.Reason // why it was asked to end; the first counts
}

// request is a request that can be made once.
type request struct {
	made chan struct{}
	once sync.Once
}

func newRequest() request { return request{made: make(chan struct{})} }

func (r *request) make() { r.once.Do(func() { close(r.made) }) }

func newConnection(s *Supervisor, session liveproof.Session, tokenID string, l Listener) *Connection {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Connection{
		ID: ids.New(time.Now()), Log: s.deps.Log.With("session", string(session.ID)),
		sup: s, session: session, tokenID: tokenID, listener: l, ctx: ctx, cancel: cancel,
		connectBy: time.Now().Add(s.cfg.ConnectTimeout),
		streaming: make(chan struct{}), endings: make(chan liveproof.Ending, 1),
		hungUp: newRequest(), abandoned: newRequest(), aborted: newRequest(), spans: newSpans(s.deps.Tracer, session),
	}
}

// OpenedBy reports whether this token opened the connection.
func (c *Connection) OpenedBy(tokenID string) bool {
	return subtle.ConstantTimeCompare([]byte(c.tokenID), []byte(tokenID)) == 1
}

// HangUp ends the media: for the analyzer the stream has ended, and it judges the media
// so far.
func (c *Connection) HangUp(why liveproof.Reason) {
	c.setReason(why)
	c.hungUp.make()
}

// Abandon says that the signalling connection was lost; the session ends after
// a grace period.
func (c *Connection) Abandon() { c.abandoned.make() }

// Abort ends the session now and cancels the analyzer.
func (c *Connection) Abort(why liveproof.Reason) {
	c.setReason(why)
	c.aborted.make()
}

// Attest takes the client's statement about itself. The first one counts; ErrAttested says that there is one.
func (c *Connection) Attest(statement string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.attest != "" {
		return ErrAttested
	}
	c.attest = statement
	return nil
}

func (c *Connection) attestation() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attest
}

// setReason says why the session is to end; the first reason counts.
func (c *Connection) setReason(why liveproof.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		c.reason = why
	}
}

func (c *Connection) reasonOr(otherwise liveproof.Reason) liveproof.Reason {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != "" {
		return c.reason
	}
	return otherwise
}

// Answer takes the connection's offer, and later ones that restart ICE. After an
// error the caller tells the client and then calls HangUp.
func (c *Connection) Answer(ctx context.Context, offer string) (string, error) {
	c.negotiate.Lock()
	defer c.negotiate.Unlock()
	if c.negotiate.done {
		return c.restart(ctx, offer)
	}
	c.negotiate.done = true
	ctx, cancel := context.WithDeadline(ctx, c.connectBy)
	defer cancel()
	stop := context.AfterFunc(c.ctx, cancel)
	defer stop()
	c.spans.begin(spanNegotiation)
	answer, err := c.peer.Answer(ctx, offer)
	c.spans.end(spanNegotiation, err)
	switch {
	case err == nil:
	case errors.Is(err, rtc.ErrBadSDP):
		c.setReason(liveproof.ReasonUnsupportedMedia)
	case !time.Now().Before(c.connectBy): // this ends the session too; the first reason counts
		err = fmt.Errorf("%w: %w", ErrNegotiation, err)
		c.setReason(liveproof.ReasonNoMedia)
	case c.ctx.Err() != nil: // the session has ended meanwhile, and has its reason
		err = fmt.Errorf("%w: %w", liveproof.ErrDisconnected, err)
	default:
		c.setReason(liveproof.ReasonOf(err))
	}
	return answer, err
}

// restart takes a renewed offer. The session, its evidence and its limits stay as
// they are: the DTLS identity is the same.
func (c *Connection) restart(ctx context.Context, offer string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	answer, err := c.peer.Restart(ctx, offer)
	if errors.Is(err, rtc.ErrNegotiated) {
		return "", fmt.Errorf("%w: %w", ErrRenegotiation, err)
	}
	return answer, err
}

// Refuse notes that the client's first offer cannot be used. For a later offer it does nothing, because the first one was used.
func (c *Connection) Refuse() {
	c.negotiate.Lock()
	defer c.negotiate.Unlock()
	if !c.negotiate.done {
		c.setReason(liveproof.ReasonUnsupportedMedia)
	}
}

// AddCandidate takes a remote candidate. A bad one is dropped and counted, because
// browsers send candidates of many kinds; too many of them give
// rtc.ErrTooManyCandidates.
func (c *Connection) AddCandidate(candidate webrtc.ICECandidateInit) error {
	err := c.peer.AddCandidate(candidate)
	if errors.Is(err, rtc.ErrTooManyCandidates) {
		return err
	}
	if err != nil {
		c.Log.Debug("ICE candidate dropped", "err", err)
	}
	return nil
}

// AddFragment takes trickled candidates or an ICE restart; see Peer.AddFragment.
func (c *Connection) AddFragment(ctx context.Context, fragment string, matches func(session int) bool) (*rtc.Restarted, error) {
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	return c.peer.AddFragment(ctx, fragment, matches)
}

// run is the connection's goroutine: it waits for the ending, writes it, tells
// the client and waits for the analyzer, which may return after its ending.
func (c *Connection) run() {
	defer c.sup.release(c)
	var analysis sync.WaitGroup
	analysis.Go(c.analyze)
	end := c.await()
	if c.peer != nil {
		_ = c.peer.Close()
	}
	c.spans.judged(end)
	stored := c.sup.write(c.session, end)
	c.spans.stored(stored)
	c.sup.own(c, false) // an end that could not be written is the sweep's, even while the analyzer hangs
	c.Log.Info("session ended", "state", stored.State, "verdict", stored.Verdict.Outcome, "reasons", stored.Verdict.Reasons)
	c.listener.Ended(stored)
	c.cancel(nil)
	analysis.Wait()
}

// analyze judges the stream and sends its ending to endings.
func (c *Connection) analyze() {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error("session panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			c.end(liveproof.Unjudged(liveproof.ReasonInternalError))
		}
	}()
	units, err := c.awaitVideo()
	if err != nil {
		c.Log.Debug("no video", "err", err)
		c.end(liveproof.Unjudged(c.reasonOr(liveproof.ReasonOf(err))))
		return
	}
	c.sup.started(c)
	c.spans.streaming()
	close(c.streaming)
	c.listener.State(liveproof.StateStreaming)
	session := c.session
	session.State = liveproof.StateStreaming
	err = c.sup.deps.Analyzer.Analyze(c.ctx, session, peerUnits{units, c.peer, c.attestation, c.asked.hasDeclined, c.able.Load, c.probe}, c.observe)
	if err != nil {
		c.Log.Debug("analysis", "err", err)
	}
	c.end(liveproof.Unjudged(c.reasonOr(liveproof.ReasonOf(err)))) // used only when the analyzer gave none
}

// observe keeps the ending and passes the rest on to the client.
func (c *Connection) observe(e liveproof.Event) {
	if e.Ended != nil {
		c.end(*e.Ended)
		return
	}
	c.spans.observe(e)
	if e.Challenge != nil {
		c.asked.set(*e.Challenge, time.Now())
	}
	if e.Sample != nil && !slices.Contains(e.Sample.Sample.Reasons, liveproof.ReasonOverload) {
		c.sup.samples.Add(1) // a dropped sample has cost little and does not count
	}
	c.listener.Event(e)
}

// end keeps the first ending; one that must not be written becomes an internal error.
func (c *Connection) end(end liveproof.Ending) {
	if !end.Valid() {
		end = liveproof.Unjudged(liveproof.ReasonInternalError)
	}
	select {
	case c.endings <- end:
	default:
	}
}

// awaitVideo gives the peer until connectBy to bring its first video track.
func (c *Connection) awaitVideo() (liveproof.UnitSource, error) {
	if c.peer == nil {
		return nil, errors.New("no peer connection")
	}
	ctx, cancel := context.WithDeadlineCause(c.ctx, c.connectBy, liveproof.ErrIdle)
	defer cancel()
	units, err := c.peer.Video(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return units, err
}
