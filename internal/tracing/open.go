package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// flushTimeout bounds the wait for a collector when the server ends.
const flushTimeout = 5 * time.Second

// Provider sends spans in batches until it is closed.
type Provider struct {
	sdk *sdktrace.TracerProvider
}

// Open prepares the sending of spans; nil without an address. It connects to nothing yet, so a collector may be absent: its spans are then
// dropped, and the log says so.
func Open(ctx context.Context, cfg Config, version string, log *slog.Logger) (*Provider, error) {
	t := cfg.target(os.Getenv)
	if t.endpoint == "" {
		return nil, nil //nolint:nilnil // nothing is traced
	}
	if _, err := cfg.Port(os.Getenv); err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	exporter, err := t.exporter(ctx)
	if err != nil {
		return nil, err
	}
	// The environment's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last, and so win.
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "liveproof"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	logFailures(log)
	return &Provider{sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.Sample))))}, nil
}

func (t target) exporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	switch t.protocol {
	case protocolGRPC:
		var options []otlptracegrpc.Option
		if t.own {
			options = append(options, otlptracegrpc.WithEndpointURL(t.endpoint))
		}
		return otlptracegrpc.New(ctx, options...)
	case protocolHTTP:
		return t.overHTTP(ctx)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL: %q is neither %s nor %s", t.protocol, protocolGRPC, protocolHTTP)
}

func (t target) overHTTP(ctx context.Context) (*otlptrace.Exporter, error) {
	if !t.own {
		return otlptracehttp.New(ctx)
	}
	u, _, err := split(t.endpoint)
	if err != nil {
		return nil, err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces" // as with OTEL_EXPORTER_OTLP_ENDPOINT
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
}

// logFailures logs at most one failure a minute. The library has one handler for the process.
func logFailures(log *slog.Logger) {
	var mu sync.Mutex
	seldom := rate.Sometimes{Interval: time.Minute}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		seldom.Do(func() { log.Warn("spans were not sent to ops.tracing.endpoint", "err", err) })
	}))
}

// Tracer makes spans. Of a nil Provider it is nil, which traces nothing.
func (p *Provider) Tracer() trace.Tracer {
	if p == nil {
		return nil
	}
	return p.sdk.Tracer(scope)
}

// Close sends what waits, for a few seconds at most.
func (p *Provider) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := p.sdk.Shutdown(ctx); err != nil {
		otel.Handle(err) // a collector that is away is no failure of the server
	}
	return nil
}
