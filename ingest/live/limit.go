package live

import (
	"fmt"
	"strconv"
)

// Limit is how many sessions a server takes at once: Auto, or a number, 1…100000.
type Limit int

// Auto takes as many sessions as the measured cost allows.
const Auto Limit = -1

const (
	autoWord = "auto"
	maxLimit = 100_000
)

// UnmarshalText reads a whole number or auto.
func (l *Limit) UnmarshalText(text []byte) error {
	if string(text) == autoWord {
		*l = Auto
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		return fmt.Errorf("max_sessions: %q is neither auto nor a whole number from 1 to %d", text, maxLimit)
	}
	*l = Limit(n)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l Limit) String() string {
	if l == Auto {
		return autoWord
	}
	return strconv.Itoa(int(l))
}

func (l Limit) valid() bool { return l == Auto || l >= 1 && l <= maxLimit }
