package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/scorer"
	"github.com/liveproof/liveproof/store"
	"github.com/liveproof/liveproof/verdict"
)

// Config is the whole configuration: one section for each room.
type Config struct {
	Ingest   ingest.Config   `yaml:"ingest"`
	WebRTC   rtc.Config      `yaml:"webrtc"`
	Media    media.Config    `yaml:"media"`
	Pipeline pipeline.Config `yaml:"pipeline"`
	Detector detector.Config `yaml:"detector"`
	Scorer   scorer.Config   `yaml:"scorer"`
	Verdict  verdict.Policy  `yaml:"verdict"`
	ONNX     onnx.Config     `yaml:"onnx"`
	Models   models.Config   `yaml:"models"`
	Store    store.Config    `yaml:"store"`
	Log      LogConfig       `yaml:"log"`
	Ops      OpsConfig       `yaml:"ops"`
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
	// Pprof is the loopback address of net/http/pprof; "" turns it off.
	Pprof string `yaml:"pprof"`
}

// DefaultConfig is what runs without a file; configs/liveproof.yaml says the same in words.
func DefaultConfig() Config {
	return Config{
		Ingest:   ingest.DefaultConfig(),
		WebRTC:   rtc.DefaultConfig(),
		Media:    media.DefaultConfig(),
		Pipeline: pipeline.DefaultConfig(),
		Detector: detector.DefaultConfig(),
		Scorer:   scorer.DefaultConfig(),
		Verdict:  verdict.DefaultPolicy(),
		ONNX:     onnx.DefaultConfig(),
		Models:   models.DefaultConfig(),
		Store:    store.DefaultConfig(),
		Log:      LogConfig{Format: "text", Level: slog.LevelInfo},
	}
}

// Validate returns every section's complaints, each with its full key.
func (c Config) Validate() error {
	var errs []error
	for section, v := range c.sections() {
		if checked, ok := v.Interface().(interface{ Validate() error }); ok {
			errs = append(errs, prefixed(section, checked.Validate()))
		}
	}
	return errors.Join(append(errs, c.validateTogether())...)
}

// validateTogether checks what no section sees alone.
func (c Config) validateTogether() error {
	if _, _, err := net.SplitHostPort(c.Ingest.Listen); err != nil {
		return fmt.Errorf("ingest.listen: %q is not an address such as :8080 or 127.0.0.1:8080", c.Ingest.Listen)
	}
	if least := c.minDeadline(); c.Ingest.Deadline < least {
		return fmt.Errorf("ingest.deadline: %v is less than the %v that verdict.min_span and verdict.hold need", c.Ingest.Deadline, least)
	}
	if c.Ingest.SessionTTL < c.Ingest.MaxCall+time.Minute {
		return fmt.Errorf("ingest.session_ttl: %v does not outlast ingest.max_call %v by a minute", c.Ingest.SessionTTL, c.Ingest.MaxCall)
	}
	return nil
}

// minDeadline is the shortest session that can be decided at all, in whole seconds.
func (c Config) minDeadline() time.Duration {
	return max(c.Verdict.MinSpan, c.Verdict.Hold).Truncate(time.Second) + time.Second
}

// Validate names the first key that is wrong.
func (c LogConfig) Validate() error {
	if c.Format != "text" && c.Format != "json" {
		return fmt.Errorf("format: %q is not one of text, json", c.Format)
	}
	return nil
}

// Validate keeps the profiler off the network.
func (c OpsConfig) Validate() error {
	if c.Pprof == "" || isLoopback(c.Pprof) {
		return nil
	}
	return fmt.Errorf("pprof: %q is not a loopback address such as 127.0.0.1:6060", c.Pprof)
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

func prefixed(section string, err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, prefixed(section, e))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s.%w", section, err)
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

// otherVariables are read elsewhere; the last two are what Kubernetes sets for a service of that name.
var otherVariables = regexp.MustCompile(
	`^LIVEPROOF_(MODELS|SHARED|ONNXRUNTIME|RETINAFACE_URL|API_KEY|BIN|SERVICE_\w+|PORT(_\w+)?)$`)

// applyEnvironment sets LIVEPROOF_<SECTION>_<KEY>, for example
// LIVEPROOF_WEBRTC_UDP_PORT=9000; lists are separated by commas. An unknown
// section or key is refused, as in the file.
func applyEnvironment(cfg *Config, environ []string) error {
	sort.Strings(environ)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "LIVEPROOF_") || otherVariables.MatchString(name) {
			continue
		}
		if err := applyVariable(reflect.ValueOf(cfg).Elem(), name, value); err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	return nil
}

func applyVariable(cfg reflect.Value, name, value string) error {
	for i := range cfg.NumField() {
		prefix := "LIVEPROOF_" + strings.ToUpper(cfg.Type().Field(i).Tag.Get("yaml")) + "_"
		if key, ok := strings.CutPrefix(name, prefix); ok {
			return setKey(cfg.Field(i), strings.ToLower(key), value)
		}
	}
	return errors.New("no such section of the configuration")
}

// setKey sets the field whose yaml tag is key; nested sections are joined by _.
func setKey(section reflect.Value, key, value string) error {
	for i := range section.NumField() {
		tag, _, _ := strings.Cut(section.Type().Field(i).Tag.Get("yaml"), ",")
		field := section.Field(i)
		if tag == key {
			return setField(field, value)
		}
		if rest, ok := strings.CutPrefix(key, tag+"_"); ok && field.Kind() == reflect.Struct {
			return setKey(field, rest, value)
		}
	}
	return fmt.Errorf("unknown key %q", key)
}

func setField(field reflect.Value, value string) error {
	switch {
	case field.Kind() == reflect.String:
		field.SetString(value)
		return nil
	case field.Kind() == reflect.Slice && !strings.HasPrefix(value, "["):
		return setList(field, value)
	}
	return yaml.Unmarshal([]byte(value), field.Addr().Interface())
}

func setList(field reflect.Value, value string) error {
	items := reflect.MakeSlice(field.Type(), 0, 4)
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		element := reflect.New(field.Type().Elem()).Elem()
		if err := setField(element, item); err != nil {
			return err
		}
		items = reflect.Append(items, element)
	}
	field.Set(items)
	return nil
}
