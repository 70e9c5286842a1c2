package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/publish"
)

// otlpReceiver takes spans by OTLP over gRPC, as a collector does.
type otlpReceiver struct {
	collector.UnimplementedTraceServiceServer
	url     string
	foreign bool // the collector's own receiver, which does not tell headers

	mu      sync.Mutex
	spans   []*otlp.Span
	service string
	header  []string // x-key of the last request
}

// newReceiver is the collector's own receiver where OTLP_COLLECTOR names it (make test-tracing).
func newReceiver(t *testing.T) *otlpReceiver {
	t.Helper()
	if program := os.Getenv("OTLP_COLLECTOR"); program != "" {
		return newCollector(t, program)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &otlpReceiver{url: "http://" + l.Addr().String()}
	s := grpc.NewServer()
	collector.RegisterTraceServiceServer(s, r)
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-served })
	return r
}

func (r *otlpReceiver) Export(ctx context.Context, req *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		r.header = md.Get("x-key")
	}
	for _, resource := range req.GetResourceSpans() {
		r.service = attributes(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// newCollector starts tools/collector.
func newCollector(t *testing.T, program string) *otlpReceiver {
	t.Helper()
	cmd := exec.Command(program, "127.0.0.1:"+strconv.Itoa(freePort(t, "tcp")))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	require.True(t, lines.Scan(), "the collector did not start")
	r := &otlpReceiver{url: lines.Text(), foreign: true}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines.Scan() {
			if err := r.take(lines.Bytes()); err != nil {
				t.Errorf("collector: %v", err)
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-read; _ = cmd.Wait() })
	return r
}

// otlpJSON is OTLP in JSON, as far as the tests read it. Unlike protobuf's own JSON it has ids in hexadecimal.
type otlpJSON struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes []otlpAttribute }
		ScopeSpans []struct {
			Spans []struct {
				TraceID, SpanID, ParentSpanID, Name string
				StartTimeUnixNano, EndTimeUnixNano  uint64 `json:",string"`
				Attributes                          []otlpAttribute
			}
		}
	}
}

type otlpAttribute struct {
	Key   string
	Value struct{ StringValue string }
}

func (r *otlpReceiver) take(line []byte) error {
	var batch otlpJSON
	if err := json.Unmarshal(line, &batch); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range batch.ResourceSpans {
		r.service = attributes(keyValues(resource.Resource.Attributes))["service.name"]
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				x := &otlp.Span{Name: s.Name, StartTimeUnixNano: s.StartTimeUnixNano, EndTimeUnixNano: s.EndTimeUnixNano, Attributes: keyValues(s.Attributes)}
				x.TraceId, _ = hex.DecodeString(s.TraceID)
				x.SpanId, _ = hex.DecodeString(s.SpanID)
				x.ParentSpanId, _ = hex.DecodeString(s.ParentSpanID)
				r.spans = append(r.spans, x)
			}
		}
	}
	return nil
}

func keyValues(list []otlpAttribute) (out []*common.KeyValue) {
	for _, a := range list {
		out = append(out, &common.KeyValue{Key: a.Key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: a.Value.StringValue}}})
	}
	return out
}

// has waits for a span of a trace; the collector's lines may come after the server's end.
func (r *otlpReceiver) has(t *testing.T, trace, name string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(r.ofTrace(trace), func(x *otlp.Span) bool { return x.GetName() == name })
	}, time.Minute, 10*time.Millisecond, name)
}

// ofTrace are the spans of a trace.
func (r *otlpReceiver) ofTrace(id string) (found []*otlp.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if hex.EncodeToString(s.GetTraceId()) == id {
			found = append(found, s)
		}
	}
	return found
}

func (r *otlpReceiver) all() []*otlp.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

func attributes(list []*common.KeyValue) map[string]string {
	m := make(map[string]string)
	for _, a := range list {
		m[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return m
}

// tracedHook is a receiver of webhooks that tells the traceparent of each.
func tracedHook(t *testing.T) <-chan string {
	t.Helper()
	parents := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { parents <- r.Header.Get("traceparent") }))
	t.Cleanup(s.Close)
	t.Setenv("LIVEPROOF_WEBHOOKS_URLS", `{default: "`+s.URL+`"}`)
	t.Setenv("LIVEPROOF_WEBHOOKS_SECRETS", `{default: "`+webhookSecret+`"}`)
	t.Setenv("LIVEPROOF_WEBHOOKS_ALLOW_PRIVATE", "true")
	return parents
}

// createTraced creates a session as a backend does that traces itself.
func (s *server) createTraced(traceparent string) createdSession {
	s.t.Helper()
	session, err := publish.Client{Server: s.url, APIKey: s.key, HTTP: &http.Client{Transport: withHeader{"traceparent", traceparent}}}.
		Create(s.t.Context(), liveproof.ModeOnboarding)
	require.NoError(s.t, err)
	return createdSession{ID: session.ID, ClientToken: session.ClientToken, WHIPURL: session.WHIPURL}
}

type withHeader struct{ name, value string }

func (h withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return http.DefaultTransport.RoundTrip(r)
}

// TestTraceOfASession: a backend's trace goes on through its session, from the request to the webhook. All spans are one tree.
func TestTraceOfASession(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	spans := newReceiver(t)
	t.Setenv("LIVEPROOF_OPS_TRACING_ENDPOINT", spans.url)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
	t.Setenv("OTEL_SERVICE_NAME", "liveness-eu")
	hooks := tracedHook(t)
	s := startServer(t)
	made := s.createTraced("00-" + trace + "-" + parent + "-01")
	s.publish(made, person(t, "person_A_640x480.mjpeg", "12"))
	ended := s.await(made.ID, "the session ends", sessionView.terminal)
	require.Equal(t, "live", ended.Verdict, "%v", ended.Reasons)
	var hooked string
	select {
	case hooked = <-hooks:
	case <-time.After(time.Minute):
		t.Fatal("no webhook came")
	}
	s.close() // sends the spans that wait

	spans.has(t, trace, "session")
	spans.has(t, trace, "webhook")
	found := spans.ofTrace(trace)
	byID := map[string]*otlp.Span{}
	names := map[string]*otlp.Span{}
	for _, x := range found {
		byID[string(x.GetSpanId())], names[x.GetName()] = x, x
	}
	for _, name := range []string{
		"POST /v1/sessions", "POST /v1/sessions/{id}/whip", "session", "negotiation", "first frame", "first score", "verdict", "store", "webhook",
	} {
		require.Contains(t, names, name)
		require.Equal(t, made.ID, attributes(names[name].GetAttributes())["liveproof.session.id"], name)
		require.Less(t, names[name].GetStartTimeUnixNano(), names[name].GetEndTimeUnixNano(), name)
	}
	roots := 0
	for _, x := range found {
		switch above := byID[string(x.GetParentSpanId())]; {
		case hex.EncodeToString(x.GetParentSpanId()) == parent:
			roots++
		default:
			require.NotNil(t, above, "%s hangs on no span of the trace", x.GetName())
		}
	}
	require.Equal(t, 1, roots, "one tree")
	require.Equal(t, "live", attributes(names["session"].GetAttributes())["liveproof.verdict"])
	require.Equal(t, "00-"+trace+"-"+hex.EncodeToString(names["webhook"].GetSpanId())+"-01", hooked)
	require.Equal(t, "liveness-eu", spans.service)
	require.True(t, spans.foreign || slices.Equal([]string{"secret"}, spans.header), "OTEL_EXPORTER_OTLP_HEADERS: %q", spans.header)
	for _, x := range spans.all() {
		text := x.String()
		require.NotContains(t, text, made.ClientToken)
		require.NotContains(t, text, s.key)
		require.NotContains(t, text, "Bearer")
	}
}

// TestForeignTraceparents: a client's traceparent, which anybody could choose, is not followed; a caller's that is not sampled is not recorded.
func TestForeignTraceparents(t *testing.T) {
	spans := newReceiver(t)
	t.Setenv("LIVEPROOF_OPS_TRACING_ENDPOINT", spans.url)
	s := startServer(t)
	const chosen = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"
	unsampled := s.createTraced(chosen + "0")
	req, err := http.NewRequest(http.MethodPost, s.url+"/v1/sessions", nil)
	require.NoError(t, err)
	req.Header.Set("traceparent", chosen+"1") // without an API key
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	s.close()
	require.Empty(t, spans.ofTrace("0af7651916cd43dd8448eb211c80319c"))
	require.Eventually(t, func() bool { return len(spans.all()) > 0 }, time.Minute, 10*time.Millisecond, "the refused request has a trace of its own")
	for _, x := range spans.all() {
		require.NotEqual(t, unsampled.ID, attributes(x.GetAttributes())["liveproof.session.id"])
	}
}

// TestCollectorIsAway: a server whose collector does not answer serves as usual, and ends in time.
func TestCollectorIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	t.Setenv("LIVEPROOF_OPS_TRACING_ENDPOINT", "http://"+address)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
	s := startServer(t)
	s.create("")
	s.close()
	require.Zero(t, s.code)
	require.Contains(t, s.log.all(), "spans were not sent")
}
