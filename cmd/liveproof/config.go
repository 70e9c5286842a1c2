package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/identity"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/injection"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/internal/tracing"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/motion"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/results"
	"github.com/liveproof/liveproof/scorer"
	"github.com/liveproof/liveproof/store"
	"github.com/liveproof/liveproof/verdict"
	"github.com/liveproof/liveproof/webhooks"
)

// Config is the whole configuration: one section for each room.
type Config struct {
	Session     live.Config        `yaml:"session"`
	Ingest      ingest.Config      `yaml:"ingest"`
	WebRTC      rtc.Config         `yaml:"webrtc"`
	Media       media.Config       `yaml:"media"`
	Pipeline    pipeline.Config    `yaml:"pipeline"`
	Detector    detector.Config    `yaml:"detector"`
	Identity    identity.Config    `yaml:"identity"`
	Scorer      scorer.Config      `yaml:"scorer"`
	Motion      motion.Config      `yaml:"motion"`
	Verdict     verdict.Policy     `yaml:"verdict"`
	Challenge   challenge.Config   `yaml:"challenge"`
	Calibration calibration.Config `yaml:"calibration"`
	Injection   injection.Config   `yaml:"injection"`
	ONNX        onnx.Config        `yaml:"onnx"`
	Models      models.Config      `yaml:"models"`
	Store       store.Config       `yaml:"store"`
	Results     results.Config     `yaml:"results"`
	Webhooks    webhooks.Config    `yaml:"webhooks"`
	Log         LogConfig          `yaml:"log"`
	Ops         OpsConfig          `yaml:"ops"`
}

// LogConfig shapes the log on standard error.
type LogConfig struct {
	// Format is text or json.
	Format string `yaml:"format"`
	// Level is debug, info, warn or error.
	Level slog.Level `yaml:"level"`
}

// OpsConfig is for those who run the server.
type OpsConfig struct {
	// Listen is the TCP address of /metrics, separate from ingest.listen; port 0 takes a free one, "" switches
	// metrics off. If another machine collects the metrics, bind only this machine's address in their common
	// network: whoever reaches the address can read the metrics.
	Listen string `yaml:"listen"`
	// Profiles also serves the profiles of net/http/pprof at /debug/pprof/; listen must then be a loopback address.
	Profiles bool `yaml:"profiles"`
	// Console also serves the operator's page at /console/: sessions, their timelines, throughput and refusals. If listen
	// is a loopback address and hosts is empty, whoever uses this machine sees all tenants' sessions; otherwise a key is needed to log
	// in, and a proxy should bring TLS. An API key shows the sessions and figures of its tenant. A development server has it on.
	Console bool `yaml:"console"`
	// Sandbox is auto, on or off. When everything is open, the server gives up for good what it needs no more, so that a fault in a decoder
	// of hostile video gives an attacker little: Landlock limits files to those of models, calibrations, keys, certificates and
	// the system's libraries, and TCP connections to the ports of Redis and of the webhooks' receivers; a seccomp filter refuses to start
	// programs, to trace, to mount and the like; no_new_privs is set. auto takes what the kernel offers and logs what it does not;
	// on refuses to start without all of it, ports excepted (Linux 6.7). What is in force is in the log and in the metric liveproof_sandbox.
	Sandbox string `yaml:"sandbox"`
	// Tracing sends OpenTelemetry spans of requests and sessions to a collector.
	Tracing tracing.Config `yaml:"tracing"`
	// OperatorKeys log in to the console and show all tenants' sessions and the figures of the whole server: secrets of at least 16
	// characters, which are not in ingest.api_keys.
	OperatorKeys []string `yaml:"operator_keys"`
	// Hosts are further host names that requests may use, such as the name that a proxy passes on; a listener on a loopback address that
	// has one asks for a login. Without them the listener answers to loopback names and, unless it is on loopback, to the names and
	// addresses of its machine; /metrics answers to every address. A request for any other host gets 421, which stops DNS rebinding. "*" allows every host.
	Hosts []string `yaml:"hosts"`
}

// DefaultConfig is what runs without a file; configs/liveproof.yaml says the same in words.
func DefaultConfig() Config {
	return Config{
		Session:     live.DefaultConfig(),
		Ingest:      ingest.DefaultConfig(),
		WebRTC:      rtc.DefaultConfig(),
		Media:       media.DefaultConfig(),
		Pipeline:    pipeline.DefaultConfig(),
		Detector:    detector.DefaultConfig(),
		Identity:    identity.DefaultConfig(),
		Scorer:      scorer.DefaultConfig(),
		Motion:      motion.DefaultConfig(),
		Verdict:     verdict.DefaultPolicy(),
		Challenge:   challenge.DefaultConfig(),
		Calibration: calibration.DefaultConfig(),
		Injection:   injection.DefaultConfig(),
		ONNX:        onnx.DefaultConfig(),
		Models:      models.DefaultConfig(),
		Store:       store.DefaultConfig(),
		Results:     results.DefaultConfig(),
		Webhooks:    webhooks.DefaultConfig(),
		Log:         LogConfig{Format: "text", Level: slog.LevelInfo},
		Ops:         OpsConfig{Listen: "127.0.0.1:9464", Sandbox: sandboxAuto, Tracing: tracing.DefaultConfig(), OperatorKeys: []string{}, Hosts: []string{}},
	}
}

// Validate returns every section's complaints, each with its full key.
func (c Config) Validate() error {
	var errs []error
	for section, v := range c.sections() {
		if checked, ok := reflect.TypeAssert[interface{ Validate() error }](v); ok {
			errs = append(errs, check.Prefix(section+".", checked.Validate()))
		}
	}
	return errors.Join(append(errs, c.validateTogether())...)
}

// validateTogether checks what no section sees alone.
func (c Config) validateTogether() error {
	least := c.engine().MinDeadline()
	return errors.Join(
		check.That("session.deadline", c.Session.Deadline >= least,
			"%v is less than the %v that verdict.min_span and verdict.hold need", c.Session.Deadline, least),
		check.That("session.connect_timeout", c.Session.ConnectTimeout >= time.Second,
			"%v is less than the 1s that ICE and DTLS need", c.Session.ConnectTimeout),
		check.That("calibration.default", c.Calibration.Default == "" || c.Verdict.Threshold == 0,
			"verdict.threshold is set too, and only one can judge: delete one of them"),
		check.That("results.issuer", len(c.Results.Keys) == 0 || c.Store.Redis == "" || c.Results.Issuer != "" || c.Ingest.PublicURL == "",
			"it is empty, and each server that shares this Redis would sign as its own ingest.public_url: set one issuer for all, such as %s", c.Ingest.PublicURL),
		c.validateTenants(), c.validateOperators(),
	)
}

// validateOperators refuses a key that would show a tenant's backend the sessions of all tenants.
func (c Config) validateOperators() error {
	var errs []error
	for i, key := range c.Ops.OperatorKeys {
		shared := slices.ContainsFunc(c.Ingest.APIKeys, func(k ingest.APIKey) bool { return k.Key == key })
		errs = append(errs, check.That("ops.operator_keys", !shared, "key %d is in ingest.api_keys too: make another one", i+1))
	}
	return errors.Join(errs...)
}

// validateTenants finds a tenant that is misspelt in calibration.tenants, whose sessions would be judged by another threshold, or
// in webhooks.urls, who would be told of nothing.
func (c Config) validateTenants() error {
	if len(c.Ingest.APIKeys) == 0 {
		return nil // a development server, or files are judged: nobody creates sessions of another tenant
	}
	var known []string
	for _, k := range c.Ingest.APIKeys {
		known = append(known, cmp.Or(k.Tenant, liveproof.DefaultTenant))
	}
	var errs []error
	for key, tenants := range map[string]map[string]string{"calibration.tenants": c.Calibration.Tenants, "webhooks.urls": c.Webhooks.URLs} {
		for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
			errs = append(errs, check.That(key, slices.Contains(known, tenant),
				"%q has no key in ingest.api_keys; there are keys of %s", tenant, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// engine is the engine's configuration, with the timeouts of section session.
func (c Config) engine() engine.Config {
	e := engine.Config{
		Media: c.Media, Pipeline: c.Pipeline, Detector: c.Detector, Identity: c.Identity, Scorer: c.Scorer, Motion: c.Motion,
		Verdict: c.Verdict, Challenge: c.Challenge, Calibration: c.Calibration, Injection: c.Injection, ONNX: c.ONNX, Models: c.Models,
	}
	e.Verdict.Deadline, e.Pipeline.IdleTimeout, e.Pipeline.Live = c.Session.Deadline, c.Session.IdleTimeout, true
	return e
}

// webrtc is the configuration of WebRTC, with the timeouts of section session and the addresses that
// suit those of section ingest.
func (c Config) webrtc() rtc.Config {
	w := c.WebRTC
	if w.Bind == rtc.BindAuto {
		w.Bind = rtc.BindAll
		if isLoopback(c.Ingest.Listen) && c.Ingest.PublicURL == "" && len(w.PublicIPs) == 0 && len(w.Interfaces) == 0 {
			w.Bind = rtc.BindLoopback
		}
	}
	w.ConnectTimeout, w.IdleTimeout = c.Session.ConnectTimeout, c.Session.IdleTimeout
	return w
}

// Validate names the first key that is wrong.
func (c LogConfig) Validate() error {
	return check.OneOf("format", c.Format, "text", "json")
}

// open reports whether everybody who reaches the listener may use all of it, because only this machine does.
func (c OpsConfig) open() bool { return isLoopback(c.Listen) && len(c.Hosts) == 0 }

// Validate keeps the profiler off the network, and refuses a console without an address and an unknown kind of sandbox.
func (c OpsConfig) Validate() error {
	_, _, err := net.SplitHostPort(c.Listen)
	var errs []error
	for i, key := range c.OperatorKeys {
		errs = append(errs, check.That("operator_keys", len(key) >= 16 && len(key) <= 256, "key %d has %d characters, [16, 256] are allowed", i+1, len(key)))
	}
	for _, h := range c.Hosts {
		errs = append(errs, check.That("hosts", ingest.ValidHost(h), "%q is not a name such as ops.example.org, without scheme, port and path", h))
	}
	return errors.Join(append(errs,
		check.That("listen", c.Listen == "" || err == nil, "%q is not an address such as 127.0.0.1:9464", c.Listen),
		check.That("profiles", !c.Profiles || isLoopback(c.Listen), "profiles are for this machine only: ops.listen must be a loopback address, not %q", c.Listen),
		check.That("profiles", !c.Profiles || len(c.Hosts) == 0, "profiles are for this machine only: ops.hosts must be empty, because a proxy in front would serve them to others"),
		check.That("console", !c.Console || c.Listen != "", "the console is at ops.listen, which is empty: give it an address such as 127.0.0.1:9464"),
		check.Prefix("tracing.", c.Tracing.Validate()),
		check.OneOf("sandbox", c.Sandbox, sandboxAuto, sandboxOn, sandboxOff),
	)...)
}

// sections gives the section values by key, in the order of the struct.
func (c Config) sections() func(yield func(string, reflect.Value) bool) {
	v := reflect.ValueOf(c)
	return func(yield func(string, reflect.Value) bool) {
		for i := range v.NumField() {
			if !yield(v.Type().Field(i).Tag.Get("yaml"), v.Field(i)) {
				return
			}
		}
	}
}

// loadConfig reads defaults, then the file (if any), then the environment.
func loadConfig(path string, environ []string) (Config, error) {
	cfg := DefaultConfig()
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("configuration: %w", err)
		}
		if err := parseConfig(raw, &cfg); err != nil {
			return cfg, fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	if err := applyEnvironment(&cfg, environ); err != nil {
		return cfg, err
	}
	if err := cfg.Validate(); err != nil {
		return cfg, fmt.Errorf("configuration: %w", err)
	}
	return cfg, nil
}

// parseConfig refuses unknown and repeated keys and a second document.
func parseConfig(raw []byte, into *Config) error {
	if err := refuseRenamed(raw); err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document")
	}
	return nil
}
