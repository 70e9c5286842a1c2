package onnx

import (
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
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SIGALTSTACK, 0, uintptr(unsafe.Pointer(&own)), 0); errno != 0 {
		return errno
	}
	err := f()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SIGALTSTACK, uintptr(unsafe.Pointer(&own)), 0, 0); errno != 0 && err == nil {
		return errno
	}
	return err
}
