//go:build !linux

package sandbox

import (
	"fmt"
	"runtime"
)

func enter(Policy) (State, error) {
	return State{}, fmt.Errorf("%w: Landlock and seccomp are Linux's, and this is %s", ErrMissing, runtime.GOOS)
}
