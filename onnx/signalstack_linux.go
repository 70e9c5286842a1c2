package onnx

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// signalStack is the kernel's stack_t.
type signalStack struct {
	start uintptr
	flags int32
	_     int32
	size  uintptr
}

// keepSignalStack calls f and then gives the thread its own signal stack again. OpenVINO's CPU
// plugin puts another one in its place, and frees that memory when the last session is
// closed, on whatever thread: the next signal of Go's scheduler to this thread would end
// the process.
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
