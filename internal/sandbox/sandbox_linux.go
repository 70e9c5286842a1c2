package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

func enter(p Policy) (s State, err error) {
	var errs []error
	if s.Landlock, err = enterLandlock(p); err != nil {
		errs = append(errs, fmt.Errorf("landlock %w: %w", ErrMissing, err))
	}
	if err := enterSeccomp(); err != nil { // last: it takes away what the others need
		errs = append(errs, fmt.Errorf("seccomp %w: %w", ErrMissing, err))
	} else {
		s.Seccomp = true
	}
	set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if s.NoNewPrivs = err == nil && set == 1; !s.NoNewPrivs {
		errs = append(errs, fmt.Errorf("no_new_privs %w", ErrMissing))
	}
	return s, errors.Join(errs...)
}
