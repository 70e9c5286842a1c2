package onnx

import "runtime/debug"

// Reclaim gives the memory back that only loading needed: the files' bytes, the networks that lost
// their trial, and what was made while graphs were optimised. Call it once after all networks are loaded.
func Reclaim() {
	debug.FreeOSMemory()
	trimHeap()
}
