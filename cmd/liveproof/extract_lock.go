package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder keeps two runs from working on the same videos of one folder. The
// locks go with the process, also when it is killed.
func lockFolder(dir string, part shard) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	how := syscall.LOCK_SH // shards run beside each other
	if part.n == 1 {
		how = syscall.LOCK_EX
	}
	whole, err := lockFile(filepath.Join(dir, ".lock"), how)
	if err != nil {
		return nil, err
	}
	own, err := lockFile(filepath.Join(dir, fmt.Sprintf(".lock-%d-of-%d", part.i+1, part.n)), syscall.LOCK_EX)
	if err != nil {
		_ = whole.Close()
		return nil, err
	}
	return func() { _, _ = own.Close(), whole.Close() }, nil
}

func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if err == syscall.EWOULDBLOCK {
			return nil, fmt.Errorf("another extract is working on %s; wait for it, or give each its own --shard", filepath.Dir(path))
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
