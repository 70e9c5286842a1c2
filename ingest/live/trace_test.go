package live

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/store"
)

const tracedBy = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func recordSpans(t *testing.T) (*sdktrace.TracerProvider, *tracetest.InMemoryExporter) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p, kept
}

// TestSpansOfABrokenSession: whatever did not come is an error, all spans end, and none is made twice.
func TestSpansOfABrokenSession(t *testing.T) {
	provider, kept := recordSpans(t)
	s := newSpans(provider.Tracer("test"), liveproof.Session{ID: "S", Trace: tracedBy})
	s.begin(spanNegotiation)
	require.Empty(t, s.open, "before the claim there is nothing to trace")
	s.connected()
	s.begin(spanNegotiation)
	s.end(spanNegotiation, errors.New("no"))
	s.streaming()
	s.observe(liveproof.Event{Verdict: &liveproof.Verdict{Outcome: liveproof.OutcomePending}})
	s.observe(liveproof.Event{Sample: &liveproof.SampleEvent{}})
	s.observe(liveproof.Event{Sample: &liveproof.SampleEvent{}})
	end := liveproof.Unjudged(liveproof.ReasonDisconnected)
	s.judged(end)
	s.stored(unwritten(liveproof.Session{ID: "S"}, end))
	require.Empty(t, s.open)

	status := map[string]codes.Code{}
	for _, span := range kept.GetSpans() {
		require.NotContains(t, status, span.Name)
		status[span.Name] = span.Status.Code
		require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", span.SpanContext.TraceID().String())
	}
	require.Equal(t, map[string]codes.Code{
		spanNegotiation: codes.Error, spanFirstFrame: codes.Unset, spanFirstScore: codes.Error, spanVerdict: codes.Unset, spanStore: codes.Error,
		spanSession: codes.Unset,
	}, status)
}

// TestExpiryIsTraced: the end of a session that nobody connected to belongs to the trace of its creation.
func TestExpiryIsTraced(t *testing.T) {
	provider, kept := recordSpans(t)
	db := store.NewMemory(store.DefaultConfig(), time.Now)
	now := time.Now()
	_, _, err := db.Create(t.Context(), liveproof.Session{
		ID: liveproof.SessionID(ids.New(now)), CreatedAt: now, ExpiresAt: now.Add(time.Hour), Lease: liveproof.Lease{Until: now.Add(-time.Second)}, Trace: tracedBy,
	}, "", "")
	require.NoError(t, err)
	s, err := New(DefaultConfig(), Deps{Sessions: shared{db}, Analyzer: analyzer(follow), Dial: dial, Tracer: provider.Tracer("test")})
	require.NoError(t, err)
	require.NoError(t, s.SweepOnce(t.Context(), time.Time{}))
	spans := kept.GetSpans()
	require.Len(t, spans, 1)
	require.Equal(t, "00f067aa0ba902b7", spans[0].Parent.SpanID().String())
}
