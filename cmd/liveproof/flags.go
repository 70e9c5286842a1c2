package main

import (
	"errors"
	"fmt"
)

// asFlags turns a library's complaint about its options, which begins with the
// option's name, into one about the flag of that name.
func asFlags(err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, asFlags(e))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("--%w", err)
}
