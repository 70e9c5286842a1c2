package detector

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a width and a height in pixels, written as "128x160".
type Size struct{ Width, Height int }

// String is the size as text.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// MarshalText writes the size for a configuration file.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the form of MarshalText; it does not check the range.
func (s *Size) UnmarshalText(text []byte) error {
	width, height, ok := strings.Cut(string(text), "x")
	w, errW := strconv.Atoi(width)
	h, errH := strconv.Atoi(height)
	if !ok || errW != nil || errH != nil {
		return fmt.Errorf("%q is not a size such as 128x160", text)
	}
	*s = Size{w, h}
	return nil
}
