package tracing

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTarget(t *testing.T) {
	for name, r := range map[string]struct {
		endpoint string
		env      map[string]string
		want     target
		port     uint16
	}{
		"off":        {"", nil, target{protocol: "grpc"}, 0},
		"key":        {"http://c:9", nil, target{"http://c:9", true, "grpc"}, 9},
		"variable":   {"", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c"}, target{"https://c", false, "grpc"}, 4317},
		"of traces":  {"", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:1"}, target{"http://b:1", false, "grpc"}, 1},
		"key first":  {"http://c", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, target{"http://c", true, "grpc"}, 4317},
		"over HTTP":  {"http://c", map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, target{"http://c", true, "http/protobuf"}, 4318},
		"disabled":   {"http://c", map[string]string{"OTEL_SDK_DISABLED": "true"}, target{"", true, "grpc"}, 0},
		"not so off": {"http://c", map[string]string{"OTEL_SDK_DISABLED": "false"}, target{"http://c", true, "grpc"}, 4317},
	} {
		env := func(name string) string { return r.env[name] }
		cfg := Config{Endpoint: r.endpoint}
		require.Equal(t, r.want, cfg.target(env), name)
		port, err := cfg.Port(env)
		require.NoError(t, err, name)
		require.Equal(t, r.port, port, name)
	}
}

func TestConfigIsChecked(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	require.ErrorContains(t, Config{Endpoint: "collector:4317"}.Validate(), "endpoint:")
	require.ErrorContains(t, Config{Sample: 1.5}.Validate(), "sample:")
}

func TestOffOpensNothing(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	p, err := Open(t.Context(), DefaultConfig(), "1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, p)
	require.Nil(t, p.Tracer())
	_, span := Or(p.Tracer()).Start(t.Context(), "x")
	require.False(t, span.IsRecording())
}

func TestWrongVariablesAreRefused(t *testing.T) {
	for name, value := range map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
			t.Setenv(name, value)
			_, err := Open(t.Context(), DefaultConfig(), "1", slog.New(slog.DiscardHandler))
			require.Error(t, err)
		})
	}
}

// FuzzResume: a traceparent comes from outside. What is not valid is no parent, and a parent stays what it was.
func FuzzResume(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("00-00000000000000000000000000000000-00f067aa0ba902b7-01")
	f.Add("")
	f.Fuzz(func(t *testing.T, traceparent string) {
		before := Resume(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		ctx := Resume(before, traceparent)
		again := Resume(t.Context(), Traceparent(ctx))
		one, two := trace.SpanContextFromContext(ctx), trace.SpanContextFromContext(again)
		require.Equal(t, one.IsValid(), two.IsValid())
		require.Equal(t, one.TraceID(), two.TraceID())
		require.Equal(t, one.SpanID(), two.SpanID())
		require.NotEqual(t, one.IsValid(), Traceparent(ctx) == "")
	})
}
