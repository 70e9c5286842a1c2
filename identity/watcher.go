package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/liveproof/liveproof"
)

// ErrPanic says that the rules panicked beside the line. The watcher gives this error from then on.
var ErrPanic = errors.New("identity: panic")

// backlogSize is how many views may wait while the embedder is at work: at 5 a second, those of 1.6 s.
const backlogSize = 8

// Watcher watches one session for a change of person. Examine is for one goroutine at a time.
//
// While the embedder is at work on a view, the views after it wait in a backlog, and the rules follow them when its answer is there, so
// that they decide in the order of the views as if each had waited. Of the backlog only the newest face is asked about.
type Watcher struct {
	cfg   Config
	met   *Metrics
	log   *slog.Logger
	embed func(context.Context, *face) (*embedding, error) // nil without an embedder
	waits bool                                             // for the embedder, within Examine

	beside sync.WaitGroup // the goroutine that asks the embedder

	mu      sync.Mutex
	rules   rules     // while asking, of the goroutine beside the line alone
	asking  bool      // the embedder is at work for this session
	backlog []waiting // oldest first; empty unless asking
	broken  error
}

// waiting is a view whose finding is not told yet.
type waiting struct {
	*shot
	later *liveproof.Later
}

// Examine compares v with what was seen of the person since the last restart. The finding's reasons are face_changed or scene_cut where
// the evidence must start again. What depends on the embedder comes later (Finding.Later), within twice Config.Timeout; a watcher that waits
// tells all at once. It gives no evidence. Without a working embedder the other signs decide. The only error is ErrPanic.
func (w *Watcher) Examine(ctx context.Context, v liveproof.View) (liveproof.Finding, error) {
	s := see(v)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.broken != nil:
		return liveproof.Finding{}, w.broken
	case w.asking:
		return w.queue(s), nil
	}
	f, next := w.rules.follow(s, true)
	switch {
	case next == nil:
		return f, nil
	case w.waits:
		return joined(f, next(w.look(ctx, s))), nil
	}
	s.keep()
	f.Later = liveproof.NewLater()
	w.asking = true
	w.beside.Go(func() { w.answer(ctx, waiting{s, f.Later}, next) })
	return f, nil
}

// joined is the rest of a finding with what was measured before.
func joined(f, rest liveproof.Finding) liveproof.Finding {
	rest.Signals = f.Signals
	return rest
}

// queue puts a view into the backlog. Where that is full, the oldest one is given up; its cut is not lost, and nothing is decided on it.
func (w *Watcher) queue(s *shot) liveproof.Finding {
	if w.embed != nil {
		s.keep()
	}
	if len(w.backlog) == backlogSize {
		oldest := w.backlog[0]
		w.backlog = w.backlog[1:]
		w.backlog[0].cut = max(w.backlog[0].cut, oldest.cut)
		oldest.later.Tell(liveproof.Finding{Unsettled: true})
	}
	later := liveproof.NewLater()
	w.backlog = append(w.backlog, waiting{s, later})
	return liveproof.Finding{Doubt: s.cut != liveproof.CutNone, Later: later}
}

// answer asks the embedder about a view, tells what follows, and goes on with the backlog until no view is left that must be asked about.
func (w *Watcher) answer(ctx context.Context, asked waiting, next then) {
	defer func() {
		if p := recover(); p != nil {
			w.fail(asked, fmt.Errorf("%w: %v", ErrPanic, p))
		}
	}()
	for next != nil {
		c := w.look(ctx, asked.shot)
		if ctx.Err() != nil {
			w.fail(asked, ctx.Err())
			return
		}
		asked, next = w.goOn(asked, next(c))
	}
}

// goOn tells the finding of the view that was asked about and follows the backlog up to the next view that must be asked about.
func (w *Watcher) goOn(told waiting, f liveproof.Finding) (asked waiting, next then) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for told.later.Tell(f); len(w.backlog) > 0; told.later.Tell(f) {
		var rest then
		told = w.backlog[0]
		f, rest = w.rules.follow(told.shot, isNewest(w.backlog))
		w.backlog = w.backlog[1:]
		if rest != nil {
			return told, func(c comparison) liveproof.Finding { return joined(f, rest(c)) }
		}
	}
	w.asking = false
	return told, nil
}

// isNewest reports whether no newer face than the first one waits.
func isNewest(backlog []waiting) bool {
	return !slices.ContainsFunc(backlog[1:], func(s waiting) bool { return s.aligned })
}

// fail tells every view that waits that the person has changed.
func (w *Watcher) fail(asked waiting, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(why, ErrPanic) {
		w.log.Error("identity failed", "error", why, "stack", string(debug.Stack()))
	}
	for _, s := range append([]waiting{asked}, w.backlog...) {
		if _, told := s.later.Finding(); !told {
			s.later.Tell(liveproof.Finding{Reasons: []liveproof.Reason{liveproof.ReasonFaceChanged}})
		}
	}
	w.backlog, w.broken = nil, why
}

// Close waits until nothing of the watcher runs beside the line any more: soon after the context of Examine ends, at the latest after
// twice Config.Timeout. It is idempotent.
func (w *Watcher) Close() error {
	w.beside.Wait()
	return nil
}
