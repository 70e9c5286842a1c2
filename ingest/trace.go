package ingest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	about "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/tracing"
)

type requestSpanKey struct{}

// requestSpan is the span of one request. It begins when its parent is known: a caller with an API key may name one, and a client's request
// belongs to the trace of its session. A client could fill the trace of others, or force recording, so its own traceparent is not read.
type requestSpan struct {
	tracer     trace.Tracer
	name       string
	start      time.Time
	attributes []about.KeyValue
	span       trace.Span // nil before the parent is known
}

// traced gives the request a span, unless nothing is traced. Probes and pages are not traced.
func (s *Server) traced(r *http.Request, route string, start time.Time) (*http.Request, *requestSpan) {
	if s.deps.Tracer == nil || !strings.HasPrefix(route, "/v1/") && !strings.HasPrefix(route, "/demo/") {
		return r, nil
	}
	method := knownMethod(r.Method)
	x := &requestSpan{tracer: s.deps.Tracer, name: method + " " + route, start: start, attributes: []about.KeyValue{
		about.String("http.request.method", method), about.String("http.route", route),
	}}
	return r.WithContext(context.WithValue(r.Context(), requestSpanKey{}, x)), x
}

// continues begins the request's span as a child of the traceparent, and returns the request with it.
func continues(r *http.Request, traceparent string) *http.Request {
	x, _ := r.Context().Value(requestSpanKey{}).(*requestSpan)
	if x == nil || x.span != nil {
		return r
	}
	return r.WithContext(x.begin(r.Context(), traceparent))
}

func (x *requestSpan) begin(ctx context.Context, traceparent string) context.Context {
	ctx, x.span = x.tracer.Start(tracing.Resume(ctx, traceparent), x.name, trace.WithTimestamp(x.start),
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(x.attributes...))
	return ctx
}

// names notes the session of the request.
func names(r *http.Request, id liveproof.SessionID) {
	if x, _ := r.Context().Value(requestSpanKey{}).(*requestSpan); x != nil {
		x.attributes = append(x.attributes, tracing.Session(id))
		if x.span != nil {
			x.span.SetAttributes(tracing.Session(id))
		}
	}
}

// errStatus is what a span of an answer from 500 on says (OpenTelemetry's conventions for HTTP servers).
var errStatus = errors.New("server error")

func (x *requestSpan) end(ctx context.Context, status int) {
	if x == nil {
		return
	}
	if x.span == nil {
		x.begin(ctx, "")
	}
	x.span.SetAttributes(about.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		tracing.End(x.span, errStatus, http.StatusText(status))
		return
	}
	x.span.End()
}

// traceOf is the traceparent that a session that the request creates keeps; empty where nothing is traced.
func (s *Server) traceOf(r *http.Request) string {
	if s.deps.Tracer == nil {
		return ""
	}
	return tracing.Traceparent(r.Context())
}
