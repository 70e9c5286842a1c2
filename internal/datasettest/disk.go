package datasettest

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Disk is a folder on a small disk of its own.
type Disk struct {
	t   testing.TB
	Dir string
}

// NewDisk mounts a disk in memory until the test ends. It skips the test where this process may not mount one.
func NewDisk(t testing.TB, bytes int) Disk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size(bytes)); err != nil {
		t.Skipf("this process may not mount a small disk (%v): run the test as root", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return Disk{t, dir}
}

func size(bytes int) string { return fmt.Sprintf("size=%d", bytes) }

// Resize changes what the disk can hold.
func (d Disk) Resize(bytes int) {
	d.t.Helper()
	require.NoError(d.t, syscall.Mount("tmpfs", d.Dir, "tmpfs", syscall.MS_REMOUNT, size(bytes)))
}

// ReadOnly lets nothing be written.
func (d Disk) ReadOnly() {
	d.t.Helper()
	require.NoError(d.t, syscall.Mount("tmpfs", d.Dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
}
