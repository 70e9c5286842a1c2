//go:build !linux

package cpu

import "errors"

// Read fails: CPU time is measured on Linux only.
func Read() (Reading, error) { return Reading{}, errors.ErrUnsupported }
