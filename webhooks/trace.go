package webhooks

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/tracing"
)

// trace is post with a span of the attempt, in the trace of the session. The receiver's address is not in it, because it may hold a secret.
func (s *Sender) trace(ctx context.Context, l letter) error {
	if s.tracer == nil {
		return s.post(ctx, l)
	}
	ctx, span := s.tracer.Start(tracing.Resume(ctx, l.Trace), "webhook", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		tracing.Session(liveproof.SessionID(l.Session)), attribute.String("liveproof.webhook.id", l.ID),
		attribute.String("liveproof.webhook.type", string(l.Type)), attribute.Int("liveproof.webhook.attempt", l.Attempts+1)))
	err := s.post(ctx, l)
	tracing.End(span, err, "not delivered")
	return err
}
