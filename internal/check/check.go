// Package check holds the checks that every section of the configuration
// needs. Each check returns nil or an error that begins with the key, so that a
// caller can join all of them (errors.Join) and the user sees every fault at once.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// In reports a value outside [lo, hi]. A NaN is outside of every range.
func In[T cmp.Ordered](key string, v, lo, hi T) error {
	if v >= lo && v <= hi {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range [%v, %v]", key, v, lo, hi)
}

// Above reports a value outside (lo, hi]. A NaN is outside of every range.
func Above[T cmp.Ordered](key string, v, lo, hi T) error {
	if v > lo && v <= hi {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range (%v, %v]", key, v, lo, hi)
}

// Between reports a value outside (lo, hi). A NaN is outside of every range.
func Between[T cmp.Ordered](key string, v, lo, hi T) error {
	if v > lo && v < hi {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range (%v, %v)", key, v, lo, hi)
}

// AtLeast reports a value below lo. A NaN is below every bound.
func AtLeast[T cmp.Ordered](key string, v, lo T) error {
	if v >= lo {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range [%v, ∞)", key, v, lo)
}

// OneOf reports a word that is not among the choices.
func OneOf(key, v string, choices ...string) error {
	if slices.Contains(choices, v) {
		return nil
	}
	return fmt.Errorf("%s: %q is not one of %s", key, v, strings.Join(choices, ", "))
}

// That reports any other rule: when ok is false, it returns the message, which
// must say what is wrong and what is allowed.
func That(key string, ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...))
}

// Prefix puts a prefix before err, or before each of its errors if errors.Join
// made it: a section before its keys, or the dashes before the name of a flag.
func Prefix(prefix string, err error) error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s%w", prefix, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, Prefix(prefix, e))
	}
	return errors.Join(errs...)
}
