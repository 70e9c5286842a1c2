package main

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/models"
)

// otherVariables are not configuration keys. Other code reads them; the last two forms are those that
// Kubernetes sets for a service named liveproof.
var otherVariables = regexp.MustCompile(
	`^LIVEPROOF_(MODELS|SHARED|ONNXRUNTIME|URL|API_KEY|BIN|SERVICE_\w+|PORT(_\w+)?)$`)

// downloadVariables are the variables with which, by the model catalogue, an operator can
// set a download's address. A catalogue that cannot be read gives an error when models
// are opened.
var downloadVariables = sync.OnceValue(func() (names []string) {
	entries, _ := models.Parse(configs.Models())
	for _, e := range entries {
		names = append(names, e.URLEnv)
	}
	return names
})

// readElsewhere reports whether the variable is not a key of the configuration
// but read by other code.
func readElsewhere(name string) bool {
	return !strings.HasPrefix(name, "LIVEPROOF_") || otherVariables.MatchString(name) || slices.Contains(downloadVariables(), name)
}

// applyEnvironment sets LIVEPROOF_<SECTION>_<KEY>, for example
// LIVEPROOF_WEBRTC_UDP_PORT=9000; lists are separated by commas. An unknown
// section or key is refused, as in the file.
func applyEnvironment(cfg *Config, environ []string) error {
	var errs []error
	sort.Strings(environ)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if readElsewhere(name) {
			continue
		}
		if err := applyVariable(reflect.ValueOf(cfg).Elem(), name, value); err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func applyVariable(cfg reflect.Value, name, value string) error {
	if now, ok := renamedVariable(name); ok {
		return fmt.Errorf("this key is now %s", now)
	}
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
	text, isText := reflect.TypeAssert[encoding.TextUnmarshaler](field.Addr())
	switch {
	case isText:
		return text.UnmarshalText([]byte(value))
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
