//go:build !linux

package cpu

import "errors"

// Read fails: only Linux is measured.
func Read() (Reading, error) { return Reading{}, errors.ErrUnsupported }
