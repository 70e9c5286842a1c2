package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxBytes caps any model file, read or downloaded: 1 GiB.
const maxBytes = 1 << 30

// Config says which catalogue is used.
type Config struct {
	// Catalog is the path of a catalogue file; empty: the built-in one.
	Catalog string `yaml:"catalog"`
}

// DefaultConfig uses the built-in catalogue.
func DefaultConfig() Config { return Config{} }

// Validate accepts everything: New reads the file and reports its faults.
func (c Config) Validate() error { return nil }

// Catalog finds and verifies model files. It is safe for concurrent use.
type Catalog struct {
	entries []Entry
	places  Places
	client  *http.Client
}

// New reads the catalogue: cfg.Catalog, or builtin (configs.Models()).
func New(cfg Config, builtin []byte, places Places) (*Catalog, error) {
	data := builtin
	if cfg.Catalog != "" {
		var err error
		if data, err = os.ReadFile(cfg.Catalog); err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
	}
	entries, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return &Catalog{entries: entries, places: places, client: downloadClient()}, nil
}

// Entries lists the catalogue in its order.
func (c *Catalog) Entries() []Entry { return append([]Entry(nil), c.entries...) }

// Lookup returns the entry of that name.
func (c *Catalog) Lookup(name string) (Entry, error) {
	names := make([]string, 0, len(c.entries))
	for _, e := range c.entries {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Entry{}, fmt.Errorf("%w %q; the catalogue has %s", ErrUnknown, name, strings.Join(names, ", "))
}

// File is a model file whose bytes were read and hashed.
type File struct {
	// Name is the catalogue's, or the file's base name without .onnx.
	Name   string
	Path   string
	SHA256 string // hex
	Data   []byte
}

// Find returns the verified bytes of a model. The first place that holds the
// file decides: with other bytes it is refused (HashError), not passed over.
func (c *Catalog) Find(name string) (File, error) {
	entry, err := c.Lookup(name)
	if err != nil {
		return File{}, err
	}
	path, tried := c.locate(entry)
	if path == "" {
		return File{}, &MissingError{Name: name, Tried: tried, Note: entry.Note}
	}
	return read(name, path, entry.SHA256)
}

// IsPath reports whether Resolve takes it for a path, not for a name of the catalogue.
func IsPath(nameOrPath string) bool {
	return strings.ContainsRune(nameOrPath, filepath.Separator) || filepath.Ext(nameOrPath) == ".onnx"
}

// Resolve is Find for a catalogue name, and for a path (anything with a
// separator or the ending .onnx) reads that file; sha256 then pins its
// content, empty takes any.
func (c *Catalog) Resolve(nameOrPath, sha256 string) (File, error) {
	if !IsPath(nameOrPath) {
		return c.Find(nameOrPath)
	}
	name := strings.TrimSuffix(filepath.Base(nameOrPath), ".onnx")
	return read(name, nameOrPath, strings.ToLower(sha256))
}

// Dirs are the folders in which models are looked for, in order; some may be missing.
func (c *Catalog) Dirs() []string { return append(slices.Clone(c.places.Dirs), c.places.Downloads) }

// locate returns the first existing candidate, and all of them.
func (c *Catalog) locate(e Entry) (found string, tried []string) {
	for _, dir := range c.Dirs() {
		path := filepath.Join(dir, e.File)
		tried = append(tried, path)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, tried
		}
	}
	return "", tried
}

// read returns the file's bytes; want is the SHA-256 they must have, empty for any.
func read(name, path, want string) (File, error) {
	data, err := readCapped(path)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, &MissingError{Name: name, Tried: []string{path}}
	}
	if err != nil {
		return File{}, fmt.Errorf("model %s: %w", name, err)
	}
	sum := sha256.Sum256(data)
	file := File{Name: name, Path: path, SHA256: hex.EncodeToString(sum[:]), Data: data}
	if want != "" && file.SHA256 != want {
		return File{}, &HashError{Name: name, Path: path, Expected: want, Found: file.SHA256}
	}
	return file, nil
}

func readCapped(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%s: not a regular file of at most %d bytes", path, maxBytes)
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

// Status is one catalogue entry and what lies on this machine.
type Status struct {
	Entry Entry
	Path  string // empty: nowhere
	Err   error  // from Verify: nil, MissingError or HashError
}

// List tells where each model lies, without reading the files.
func (c *Catalog) List() []Status {
	out := make([]Status, len(c.entries))
	for i, e := range c.entries {
		path, _ := c.locate(e)
		out[i] = Status{Entry: e, Path: path}
	}
	return out
}

// Verify reads and hashes each model's file.
func (c *Catalog) Verify() []Status {
	out := c.List()
	for i := range out {
		_, out[i].Err = c.Find(out[i].Entry.Name)
	}
	return out
}
