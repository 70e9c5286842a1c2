// Package filelock takes locks that end with the process, even when it is killed.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrHeld says that another process, or another part of this one, holds the lock.
var ErrHeld = errors.New("locked by another run")

// How a lock is taken. A lock for Sharing is held by any number at once, but not beside one that is Alone.
type How int

// The ways.
const (
	Alone    How = syscall.LOCK_EX | syscall.LOCK_NB // or ErrHeld
	Sharing  How = syscall.LOCK_SH | syscall.LOCK_NB // or ErrHeld
	InMyTurn How = syscall.LOCK_EX                   // waits until nobody holds it
)

// Take opens the file, which is made where it is missing, and locks it (flock(2)) until it is closed.
func Take(path string, how How) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), int(how)); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrHeld
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
