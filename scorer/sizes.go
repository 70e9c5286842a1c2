package scorer

import (
	"slices"

	"github.com/liveproof/liveproof/onnx"
)

// sizes are the batch sizes, ascending, that a network is run with. A smaller batch is padded to the
// next size.
type sizes struct {
	all []int
	// apart gives each size a session of its own, which therefore never sees another shape.
	apart bool
}

// launchBound is the size up to which a GPU's run costs little more than its launches.
const launchBound = 16

// sizesFor ends with maxBatch. A CPU gets every size, because padding costs it time. A GPU gets 1, 4, 16,
// 32, 64, …: up to launchBound padding is almost free, and above it at most half of a batch is padding.
// (ResNet18 on an H200: 0.9 ms for 1 crop, 1.7 for 16, 2.6 for 32, 17.4 for 256.)
func sizesFor(p onnx.Provider, maxBatch int) sizes {
	s := sizes{apart: p.PlansPerShape()}
	for n := 1; n < maxBatch; n = nextSize(p, n) {
		s.all = append(s.all, n)
	}
	s.all = append(s.all, maxBatch)
	return s
}

func nextSize(p onnx.Provider, n int) int {
	switch {
	case p.OnCPU():
		return n + 1
	case n < launchBound:
		return 4 * n
	}
	return 2 * n
}

// largest is the most crops of a run.
func (s sizes) largest() int { return s.all[len(s.all)-1] }

// fill is how many of n waiting crops to run at once: all, or those that fill the size below where padding would
// cost more than an eighth of the run. Else a queue that was once long would stay long: the larger the size, the
// more crops come while it runs, too many for the size below and too few to fill the next.
func (s sizes) fill(n int) int {
	at := s.holding(n)
	if size := s.all[at]; size <= launchBound || n >= size-size/8 {
		return n
	}
	return s.all[at-1]
}

// holding is the index of the smallest size that holds n crops.
func (s sizes) holding(n int) int {
	at, _ := slices.BinarySearch(s.all, n)
	return at
}
