// Package models finds the network files by name and lets none through whose
// SHA-256 differs from the catalogue's.
package models

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"

	"github.com/liveproof/liveproof/internal/check"
	"go.yaml.in/yaml/v3"
)

// Kind is what a model is for.
type Kind string

// The kinds of models.
const (
	KindDetector Kind = "detector"
	KindScorer   Kind = "scorer"
	KindEmbedder Kind = "embedder"
)

// Entry is one model of the catalogue.
type Entry struct {
	Name string `yaml:"name"`
	Kind Kind   `yaml:"kind"`
	// File is the file's base name.
	File string `yaml:"file"`
	// SHA256 of the file, 64 lower-case hex digits.
	SHA256 string `yaml:"sha256"`
	// Size in bytes; 0 when not stated.
	Size    int64  `yaml:"size"`
	Licence string `yaml:"licence"`
	// Source tells people where the file comes from.
	Source string `yaml:"source"`
	// URLs serve exactly these bytes over https.
	URLs []string `yaml:"urls"`
	// URLEnv names an environment variable whose value is tried before URLs.
	URLEnv string `yaml:"url_env"`
	Note   string `yaml:"note"`
}

type catalogueFile struct {
	Models []Entry `yaml:"models"`
}

// Parse reads a catalogue in YAML (configs/models.yaml is the reference).
// Unknown keys and bad values are refused with the model and key named.
func Parse(data []byte) ([]Entry, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var file catalogueFile
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("model catalogue: %w", err)
	}
	if err := validate(file.Models); err != nil {
		return nil, fmt.Errorf("model catalogue: %w", err)
	}
	return file.Models, nil
}

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func validate(entries []Entry) error {
	if len(entries) == 0 {
		return errors.New("models: it lists none")
	}
	seen := map[string]bool{}
	var errs []error
	for i, e := range entries {
		if seen[e.Name] {
			errs = append(errs, fmt.Errorf("models[%d].name: %q is listed twice", i, e.Name))
		}
		seen[e.Name] = true
		if err := e.validate(); err != nil {
			errs = append(errs, fmt.Errorf("models[%d] (%s): %w", i, e.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (e Entry) validate() error {
	errs := []error{
		check.That("name", namePattern.MatchString(e.Name), "%q is not made of a-z 0-9 . _ -", e.Name),
		check.OneOf("kind", string(e.Kind), string(KindDetector), string(KindScorer), string(KindEmbedder)),
		check.That("file", isBaseName(e.File), "%q is not a base name", e.File),
		check.That("sha256", sha256Pattern.MatchString(e.SHA256), "%q is not 64 lower-case hex digits", e.SHA256),
		check.AtLeast("size", e.Size, 0),
	}
	for _, u := range e.URLs {
		if err := checkURL(u); err != nil {
			errs = append(errs, fmt.Errorf("urls: %w", err))
		}
	}
	return errors.Join(errs...)
}

func isBaseName(file string) bool {
	return file != "" && file == filepath.Base(file) && file != "." && file != ".."
}

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	if u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is not an https address", u.Redacted())
	}
	return nil
}
