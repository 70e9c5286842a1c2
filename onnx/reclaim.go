package onnx

import "runtime/debug"

// Reclaim returns memory to the system that only loading needed: the bytes of the files, the networks
// that lost their trial, and what was allocated while graphs were optimised. Call it once after all
// networks are loaded.
func Reclaim() {
	debug.FreeOSMemory()
	trimHeap()
}
