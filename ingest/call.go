package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// lateness is what the analyzer may be later than the deadline before it is
// taken for stuck, and longer than its video before it is cancelled.
const lateness = 2 * time.Second

// call is one connected session. Its goroutine (run) alone decides how it
// ends; everyone else only asks for it (hangUp, abandon, abort).
type call struct {
	sup      *supervisor
	session  liveproof.Session
	tokenID  string
	resource string // names the WHIP session (RFC 9725) of this connection
	etag     string
	listener listener
	peer     Peer
	log      *slog.Logger

	ctx     context.Context
	cancel  context.CancelCauseFunc
	hungUp  chan struct{} // closed by hangUp: no more media is wanted
	lost    chan struct{} // closed by abandon: signalling is gone
	aborted chan struct{} // closed by abort: end now
	judged  chan struct{} // closed when the analyzer has returned
	once    struct{ hangUp, abandon, abort sync.Once }
	offered struct {
		sync.Mutex
		done bool
	}
	known  atomic.Pointer[liveproof.Ending] // what the analyzer has judged and is writing down
	mu     sync.Mutex
	reason liveproof.Reason // why it was asked to end, "" while it was not
}

func newCall(s *supervisor, session liveproof.Session, tokenID string, l listener) *call {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &call{
		sup: s, session: session, tokenID: tokenID, listener: l,
		resource: newULID(time.Now()), etag: `"` + newULID(time.Now()) + `"`,
		log: s.log.With("session", string(session.ID)),
		ctx: ctx, cancel: cancel,
		hungUp: make(chan struct{}), lost: make(chan struct{}), aborted: make(chan struct{}), judged: make(chan struct{}),
	}
}

// hangUp ends the media: the analyzer sees the stream's end and judges by what it has.
func (c *call) hangUp(r liveproof.Reason) {
	c.once.hangUp.Do(func() { c.setReason(r); close(c.hungUp) })
}

// abandon says that signalling is gone; the call ends after a grace period.
func (c *call) abandon() { c.once.abandon.Do(func() { close(c.lost) }) }

// abort ends the call now, whatever the analyzer does.
func (c *call) abort(r liveproof.Reason) {
	c.once.abort.Do(func() { c.setReason(r); close(c.aborted) })
}

func (c *call) setReason(r liveproof.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		c.reason = r
	}
}

func (c *call) endReason(otherwise liveproof.Reason) liveproof.Reason {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != "" {
		return c.reason
	}
	return otherwise
}

// run is the call's goroutine: judge, write the end, tell, let go.
func (c *call) run() {
	defer c.sup.release(c)
	defer c.sup.metrics.active.Dec()
	end := c.judge()
	if c.peer != nil {
		_ = c.peer.Close()
	}
	final, err := c.sup.settle(c.session, end, c.sup.patience())
	if err != nil && !errors.Is(err, liveproof.ErrNotFound) {
		c.log.Error("the session's end could not be written", "err", err)
	}
	c.sup.metrics.ended(final)
	c.log.Info("session ended", "state", final.State, "verdict", final.Verdict.Outcome, "reasons", final.Verdict.Reasons)
	c.listener.ended(final)
}

// judge runs the analysis and returns the end to write in case the analyzer has written none.
func (c *call) judge() (end liveproof.Ending) {
	watch := c.watch()
	defer watch.Wait()
	defer c.cancel(nil)
	defer close(c.judged)
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("session panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			end = unjudged(liveproof.ReasonInternalError)
		}
	}()
	v, err := c.analyze()
	var unrecorded *liveproof.UnrecordedError
	switch {
	case errors.As(err, &unrecorded) && writable(unrecorded.Ending):
		c.log.Warn("the judgement is not recorded yet", "err", err)
		return unrecorded.Ending
	case err == nil && usable(v):
		return liveproof.Ending{State: endState(v), Verdict: v}
	case err != nil:
		c.log.Debug("analysis", "err", err)
	}
	return unjudged(c.endReason(reasonOf(err)))
}

func (c *call) analyze() (liveproof.Verdict, error) {
	video, err := c.awaitVideo()
	if err != nil {
		return liveproof.Verdict{}, err
	}
	if err := c.beginStreaming(); err != nil {
		return liveproof.Verdict{}, err
	}
	c.listener.state(liveproof.StateStreaming)
	session := c.session
	session.State = liveproof.StateStreaming
	stop := time.AfterFunc(c.longest(), func() { c.abort(liveproof.ReasonDeadline) })
	defer stop.Stop()
	return c.sup.analyzer.Analyze(c.ctx, session, explained{video, c.peer}, c.observe)
}

// observe keeps the judgement to the server and passes the rest on to the client.
func (c *call) observe(e liveproof.Event) {
	if e.Judged != nil {
		c.known.Store(e.Judged)
		return
	}
	c.listener.event(e)
}

// awaitVideo gives the peer ConnectTimeout to bring its first video track.
func (c *call) awaitVideo() (Video, error) {
	if c.peer == nil {
		return nil, errors.New("no peer connection")
	}
	ctx, cancel := context.WithTimeoutCause(c.ctx, c.sup.cfg.ConnectTimeout, liveproof.ErrIdle)
	defer cancel()
	video, err := c.peer.Video(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return video, err
}

func (c *call) beginStreaming() error {
	ctx, cancel := context.WithTimeout(c.ctx, c.sup.cfg.ConnectTimeout)
	defer cancel()
	return retry(ctx, func() error {
		return c.sup.sessions.SetStreaming(ctx, c.session.ID, c.sup.analyzer.Model(), c.sup.analyzer.Detector())
	})
}

// longest is the streaming time after which the server's clock ends the call.
func (c *call) longest() time.Duration {
	if c.session.Mode == liveproof.ModeCall {
		return c.sup.cfg.MaxCall
	}
	return c.session.Deadline + lateness
}

// watch turns what happens outside into the end of the media, and that into
// the end of the context when the analyzer does not follow.
func (c *call) watch() *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		if c.awaitHangUp() {
			if c.peer != nil {
				_ = c.peer.Close()
			}
			if c.pause(nil, lateness) {
				c.abort(liveproof.ReasonDisconnected)
			}
		}
		if closed(c.aborted) {
			c.cut()
		}
	})
	return &wg
}

// cut stops the analyzer, which then writes the session's end with the reason
// and all it knows. If it does not follow, the record is ended without it; one
// that has judged is only late with its writing, and no other end is written.
func (c *call) cut() {
	reason := c.endReason(liveproof.ReasonInternalError)
	c.cancel(&EndError{Reason: reason})
	if c.returned(lateness) {
		return
	}
	end := unjudged(reason)
	if known := c.known.Load(); known != nil && writable(*known) {
		if c.returned(c.sup.patience()) {
			return
		}
		end = *known
	}
	c.log.Error("the analyzer does not end", "reason", reason)
	if _, err := c.sup.settle(c.session, end, lateness); err != nil {
		c.log.Error("the session's end could not be written", "err", err)
	}
}

// returned waits for the analyzer, at most for d.
func (c *call) returned(d time.Duration) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-c.judged:
		return true
	case <-late.C:
		return false
	}
}

// awaitHangUp returns true when the media shall end, false when the call is over or aborted.
func (c *call) awaitHangUp() bool {
	var gone <-chan struct{}
	if c.peer != nil {
		gone = c.peer.Done()
	}
	select {
	case <-c.ctx.Done():
		return false
	case <-c.aborted:
		return false
	case <-c.hungUp:
		return true
	case <-c.lost:
		if !c.pause(gone, c.sup.cfg.DisconnectGrace) {
			return closed(c.hungUp)
		}
	case <-gone:
	}
	c.hangUp(c.peerReason())
	return true
}

// peerReason is why the peer connection ended, if it did.
func (c *call) peerReason() liveproof.Reason {
	if c.peer == nil || c.peer.Err() == nil {
		return liveproof.ReasonDisconnected
	}
	return reasonOf(c.peer.Err())
}

// pause waits for d, or until early closes. It returns false when the call
// was ended meanwhile by other means.
func (c *call) pause(early <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	var hungUp <-chan struct{}
	if early != nil {
		hungUp = c.hungUp
	}
	select {
	case <-c.ctx.Done():
		return false
	case <-c.aborted:
		return false
	case <-hungUp:
		return false
	case <-early:
		return true
	case <-t.C:
		return true
	}
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// answer takes the connection's one offer. After an error the caller hangs up,
// once it has told the client.
func (c *call) answer(ctx context.Context, offer string) (string, error) {
	c.offered.Lock()
	defer c.offered.Unlock()
	if c.offered.done {
		return "", problem(CodeProtocolError, "the offer was made already; renegotiation is not supported")
	}
	c.offered.done = true
	answer, err := c.peer.Answer(ctx, offer)
	if errors.Is(err, rtc.ErrBadSDP) {
		c.setReason(liveproof.ReasonUnsupportedMedia)
	} else if err != nil {
		c.setReason(reasonOf(err))
	}
	return answer, err
}

// addCandidate takes a remote candidate. A bad one is dropped (the peer counts
// it), for browsers send what they like; one too many is an error.
func (c *call) addCandidate(cand webrtc.ICECandidateInit) error {
	err := c.peer.AddCandidate(cand)
	if errors.Is(err, rtc.ErrTooManyCandidates) {
		return problem(CodeProtocolError, "too many ICE candidates")
	}
	if err != nil {
		c.log.Debug("ICE candidate dropped", "err", err)
	}
	return nil
}

// unjudged is the end of a session that could not be judged.
func unjudged(r liveproof.Reason) liveproof.Ending {
	v := liveproof.Verdict{Outcome: liveproof.OutcomeInconclusive, Reasons: []liveproof.Reason{r}, Final: true}
	return liveproof.Ending{State: r.EndState(), Verdict: v}
}

// endState is the terminal state that goes with a final verdict.
func endState(v liveproof.Verdict) liveproof.State {
	if v.Outcome != liveproof.OutcomeInconclusive || len(v.Reasons) == 0 {
		return liveproof.StateDecided
	}
	return v.Reasons[0].EndState()
}

// writable tells that e may be written as it is: a decision only as decided.
func writable(e liveproof.Ending) bool {
	decision := e.Verdict.Outcome != liveproof.OutcomeInconclusive
	return usable(e.Verdict) && e.State.Terminal() && (!decision || e.State == liveproof.StateDecided)
}

// usable tells that v is a final judgement that may be written as it is.
func usable(v liveproof.Verdict) bool {
	switch v.Outcome {
	case liveproof.OutcomeLive, liveproof.OutcomeSpoof, liveproof.OutcomeInconclusive:
	default:
		return false
	}
	return v.Final && !math.IsNaN(v.Score) && v.Score >= 0 && v.Score <= 1
}

func reasonOf(err error) liveproof.Reason {
	var end *EndError
	switch {
	case errors.As(err, &end):
		return end.Reason
	case errors.Is(err, liveproof.ErrIdle), errors.Is(err, rtc.ErrConnectTimeout):
		return liveproof.ReasonNoMedia
	case errors.Is(err, liveproof.ErrUnsupportedCodec), errors.Is(err, liveproof.ErrPictureTooLarge):
		return liveproof.ReasonUnsupportedMedia
	case errors.Is(err, io.EOF), errors.Is(err, rtc.ErrDisconnected), errors.Is(err, rtc.ErrClosed),
		errors.Is(err, rtc.ErrHandshake), errors.Is(err, rtc.ErrFlood):
		return liveproof.ReasonDisconnected
	}
	return liveproof.ReasonInternalError
}
