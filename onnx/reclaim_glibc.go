//go:build linux && cgo

package onnx

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
static void trim(void) { malloc_trim(0); }
#else
static void trim(void) {}
#endif
*/
import "C"

// trimHeap returns free pages of C's heap to the system. glibc would keep them in the arena of each
// thread that loaded a network.
func trimHeap() { C.trim() }
