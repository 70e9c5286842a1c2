// Package tracing sends OpenTelemetry spans of sessions by OTLP, and keeps the trace of a session across requests, servers and
// webhooks as a W3C traceparent. Its attributes name sessions and outcomes; no image, token or embedding belongs into a span.
package tracing

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/liveproof/liveproof/internal/check"
)

// Config says where spans go.
type Config struct {
	// Endpoint is the address of an OpenTelemetry collector, such as http://collector:4317; https brings TLS. Empty takes
	// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, and without these nothing is traced. The other variables of the
	// OTLP exporter apply too, among them OTEL_EXPORTER_OTLP_PROTOCOL (grpc, the default, or http/protobuf), _HEADERS and _CERTIFICATE.
	Endpoint string `yaml:"endpoint"`
	// Sample is the share of traces that begin here and are recorded, 0 to 1. A trace that a caller with an API key began keeps that caller's choice.
	Sample float64 `yaml:"sample"`
}

// DefaultConfig traces nothing without an address, and everything with one.
func DefaultConfig() Config { return Config{Sample: 1} }

// Validate reports every value that is out of range.
func (c Config) Validate() error {
	_, _, err := split(c.Endpoint)
	return errors.Join(
		check.That("endpoint", c.Endpoint == "" || err == nil, "%q is not an address such as http://collector:4317", c.Endpoint),
		check.In("sample", c.Sample, 0, 1))
}

// The values of OTEL_EXPORTER_OTLP_PROTOCOL that are spoken, and their ports (OTLP specification, "Default Port").
const (
	protocolGRPC, protocolHTTP = "grpc", "http/protobuf"
	portGRPC, portHTTP         = 4317, 4318
)

// target is where the spans go by the configuration and the environment.
type target struct {
	endpoint string // empty: nothing is traced
	own      bool   // endpoint is the configuration's, not a variable that the exporter reads itself
	protocol string
}

func (c Config) target(env func(string) string) target {
	t := target{
		endpoint: cmp.Or(c.Endpoint, env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), env("OTEL_EXPORTER_OTLP_ENDPOINT")),
		own:      c.Endpoint != "",
		protocol: cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), env("OTEL_EXPORTER_OTLP_PROTOCOL"), protocolGRPC),
	}
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") {
		t.endpoint = ""
	}
	return t
}

// Port is the TCP port that spans are sent to, 0 when nothing is traced. env is os.Getenv.
func (c Config) Port(env func(string) string) (uint16, error) {
	t := c.target(env)
	if t.endpoint == "" {
		return 0, nil
	}
	_, port, err := split(t.endpoint)
	switch {
	case err != nil:
		return 0, err
	case port != 0:
		return port, nil
	case t.protocol == protocolHTTP:
		return portHTTP, nil
	}
	return portGRPC, nil
}

// split checks an endpoint and reads its port, 0 when it names none.
func split(endpoint string) (*url.URL, uint16, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, 0, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, 0, fmt.Errorf("%q is not an http or https address", u.Redacted())
	}
	if u.Port() == "" {
		return u, 0, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u, uint16(port), err
}
