//go:build !linux

package onnx

// keepSignalStack is needed with OpenVINO only, which set-up brings for Linux.
func keepSignalStack(f func() error) error { return f() }
