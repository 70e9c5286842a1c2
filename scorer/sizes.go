package scorer

import "github.com/liveproof/liveproof/onnx"

// batchSizes are the batch sizes, ascending, that the network is run with; the last one is maxBatch.
// A smaller batch is padded to the next size. A CPU gets every size, because padding costs it
// time. A GPU gets 1, 2, 3, 4, 6, 8, 12, 16, 24, …: cuDNN chooses its kernels anew for each size, which
// takes too long to do for 256 of them at start, and at most a third of a batch is padding.
func batchSizes(p onnx.Provider, maxBatch int) []int {
	var sizes []int
	for n := 1; n < maxBatch; n = nextSize(p, n) {
		sizes = append(sizes, n)
	}
	return append(sizes, maxBatch)
}

func nextSize(p onnx.Provider, n int) int {
	switch {
	case p.OnCPU() || n < 4:
		return n + 1
	case n&(n-1) == 0: // a power of two
		return n + n/2
	}
	return n + n/3
}
