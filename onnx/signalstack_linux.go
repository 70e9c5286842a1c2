package onnx

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// signalStack is stack_t of sigaltstack(2).
type signalStack struct {
	start uintptr
	flags int32
	_     int32
	size  uintptr
}

// keepSignalStack calls f and then restores the thread's own signal stack. OpenVINO's CPU plugin
// replaces it, and frees the replacement when the last session is closed, on any thread.
// The next signal of Go's scheduler to this thread would then end the process.
func keepSignalStack(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var own signalStack
	if err := swapSignalStack(nil, &own); err != nil {
		return err
	}
	err := f()
	return errors.Join(err, swapSignalStack(&own, nil))
}

// swapSignalStack is sigaltstack(2) for this thread.
func swapSignalStack(set, old *signalStack) error {
	_, _, errno := syscall.RawSyscall(syscall.SYS_SIGALTSTACK,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), 0) //nolint:gosec // as package unsafe allows it: in the call itself
	if errno != 0 {
		return os.NewSyscallError("sigaltstack", errno)
	}
	return nil
}
