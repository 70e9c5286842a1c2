package models

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of this package; test with errors.Is.
var (
	// ErrUnknown: the catalogue does not list this name.
	ErrUnknown = errors.New("unknown model")
	// ErrMissing: the file is in none of the places; see MissingError.
	ErrMissing = errors.New("model file not found")
	// ErrHash: the file's bytes are not the catalogue's; see HashError.
	ErrHash = errors.New("model file has the wrong SHA-256")
	// ErrDownload: no address gave the file.
	ErrDownload = errors.New("model download failed")
)

// HashError is a file that is refused for its content.
type HashError struct {
	Name, Path      string
	Expected, Found string // SHA-256, hex
}

func (e *HashError) Error() string {
	return fmt.Sprintf("model %s: %s has SHA-256 %s, expected %s: it is damaged or another version; "+
		"delete it, or list its hash in the catalogue", e.Name, e.Path, e.Found, e.Expected)
}

// Unwrap makes errors.Is(err, ErrHash) true.
func (e *HashError) Unwrap() error { return ErrHash }

// MissingError is a file that is nowhere.
type MissingError struct {
	Name  string
	Tried []string // paths, in order
	Note  string   // the catalogue's note
}

func (e *MissingError) Error() string {
	msg := fmt.Sprintf("model %s: not found as %s; run `liveproof models pull %s` or set LIVEPROOF_MODELS to its directory",
		e.Name, strings.Join(e.Tried, ", "), e.Name)
	if e.Note != "" {
		msg += ". " + strings.TrimSpace(e.Note)
	}
	return msg
}

// Unwrap makes errors.Is(err, ErrMissing) true.
func (e *MissingError) Unwrap() error { return ErrMissing }
