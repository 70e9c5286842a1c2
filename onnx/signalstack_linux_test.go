package onnx

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// OpenVINO's plugin takes the signal stack of the thread that loads it, and frees it on
// another thread. Without keepSignalStack the process ends here.
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
		// To this thread, as Go's scheduler does it.
		if err := syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGURG); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	}
}
