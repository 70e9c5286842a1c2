package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/liveproof/liveproof"
)

// scope names the instrumentation in every span.
const scope = "github.com/liveproof/liveproof"

// Header is the header of W3C Trace Context that names the parent of what a request causes.
const Header = "traceparent"

// Off makes no spans.
func Off() trace.Tracer { return noop.NewTracerProvider().Tracer(scope) }

// Or is the tracer, or Off for nil.
func Or(t trace.Tracer) trace.Tracer {
	if t == nil {
		return Off()
	}
	return t
}

// Session is the attribute that names a session in every span of it.
func Session(id liveproof.SessionID) attribute.KeyValue {
	return attribute.String("liveproof.session.id", string(id))
}

// Resume makes the span that a traceparent names the parent of spans that begin in the context. A traceparent that is empty or not valid is no
// parent, and replaces one that the context has.
func Resume(ctx context.Context, traceparent string) context.Context {
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: traceparent})
}

// Traceparent names the context's span for those who go on with its trace elsewhere; empty without one.
func Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// End ends a span; an error is its status. The text of an error is not recorded, because it may quote what a client sent.
func End(span trace.Span, err error, failed string) {
	if err != nil {
		span.SetStatus(codes.Error, failed)
	}
	span.End()
}
