package live

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/tracing"
)

// The spans of a connected session. "session" lasts from its claim until its end is written; the others are parts of it.
const (
	spanSession     = "session"
	spanNegotiation = "negotiation" // offer and answer
	spanFirstFrame  = "first frame" // from the claim to the first picture that was sampled
	spanFirstScore  = "first score" // from the first media to the first picture that was scored
	spanVerdict     = "verdict"     // from the first media to the verdict that ends the session
	spanStore       = "store"       // the write of the end
)

var (
	errNoPicture  = errors.New("it did not come")
	errNotWritten = errors.New("not written")
)

// spans are those of one connection; safe for concurrent use.
type spans struct {
	tracer  trace.Tracer
	session liveproof.Session
	mu      sync.Mutex
	ctx     context.Context // of the span "session"; nil before the claim
	open    map[string]trace.Span
}

func newSpans(t trace.Tracer, s liveproof.Session) *spans {
	return &spans{tracer: t, session: s, open: make(map[string]trace.Span)}
}

// connected begins the session's span. It goes on with the trace in which the session was created, whichever server did that.
func (s *spans) connected() {
	s.mu.Lock()
	s.ctx = tracing.Resume(context.Background(), s.session.Trace)
	s.mu.Unlock()
	s.begin(spanSession, attribute.String("liveproof.session.mode", string(s.session.Mode)))
	s.begin(spanFirstFrame)
}

// streaming notes that media comes.
func (s *spans) streaming() {
	s.begin(spanFirstScore)
	s.begin(spanVerdict)
}

// observe notes the first sample, the first score and each verdict of a call.
func (s *spans) observe(e liveproof.Event) {
	switch {
	case e.Sample != nil:
		s.end(spanFirstFrame, nil)
		if e.Sample.Sample.Scored {
			s.end(spanFirstScore, nil)
		}
	case e.Verdict != nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		if span := s.open[spanSession]; span != nil {
			span.AddEvent("verdict", trace.WithAttributes(outcomeOf(e.Verdict.Outcome)))
		}
	}
}

// judged ends what the session's end ends, and begins the write.
func (s *spans) judged(end liveproof.Ending) {
	s.end(spanFirstFrame, errNoPicture)
	s.end(spanFirstScore, errNoPicture)
	s.end(spanVerdict, nil, verdictOf(end.State, end.Verdict)...)
	s.begin(spanStore)
}

// stored ends the session's span with its final record.
func (s *spans) stored(final liveproof.Session) {
	var err error
	if final.DecidedAt.IsZero() {
		err = errNotWritten
	}
	s.end(spanStore, err)
	s.end(spanNegotiation, errNoPicture)
	s.end(spanSession, nil, append(verdictOf(final.State, final.Verdict),
		attribute.Int64("liveproof.frames.received", final.Frames.Received), attribute.Int64("liveproof.frames.scored", final.Frames.Scored))...)
}

func verdictOf(state liveproof.State, v liveproof.Verdict) []attribute.KeyValue {
	reasons := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		reasons[i] = string(r)
	}
	return []attribute.KeyValue{attribute.String("liveproof.state", string(state)), outcomeOf(v.Outcome), attribute.StringSlice("liveproof.reasons", reasons)}
}

func outcomeOf(o liveproof.Outcome) attribute.KeyValue {
	return attribute.String("liveproof.verdict", string(o))
}

// begin begins a span in that of the session; one that is open already goes on.
func (s *spans) begin(name string, more ...attribute.KeyValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.open[name] != nil {
		return
	}
	ctx, span := s.tracer.Start(s.ctx, name, trace.WithAttributes(append(more, tracing.Session(s.session.ID))...))
	s.open[name] = span
	if name == spanSession {
		s.ctx = ctx
	}
}

// end ends a span, if it is open.
func (s *spans) end(name string, err error, more ...attribute.KeyValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	span := s.open[name]
	if span == nil {
		return
	}
	delete(s.open, name)
	span.SetAttributes(more...)
	tracing.End(span, err, "failed")
}

// traceExpiry makes a span of the end of a session that nobody had connected to or whose server is lost.
func traceExpiry(ctx context.Context, t trace.Tracer, s liveproof.Session) {
	_, span := t.Start(tracing.Resume(ctx, s.Trace), "expiry", trace.WithAttributes(append(verdictOf(s.State, s.Verdict), tracing.Session(s.ID))...))
	span.End()
}
