package onnx

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// OpenVINO's plugin replaces the signal stack of the thread that loads it, and frees the
// replacement on another thread. Without keepSignalStack this test's process crashes.
func TestSignalsAfterOpenVINOWasClosed(t *testing.T) {
	for range 3 {
		r, s := loadOpenVINO(t, SessionOptions{})
		closed := make(chan error)
		runtime.LockOSThread() // so that Close is on another thread
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			closed <- errors.Join(s.Close(), r.Close())
		}()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		// A signal to this thread, as from Go's scheduler.
		if err := syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGURG); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	}
}
