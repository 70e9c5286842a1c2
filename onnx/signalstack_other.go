//go:build !linux

package onnx

// keepSignalStack only calls f: the signal stack needs protection from OpenVINO alone, which `make setup`
// installs on Linux.
func keepSignalStack(f func() error) error { return f() }
