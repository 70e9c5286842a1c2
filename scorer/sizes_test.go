package scorer

import (
	"slices"
	"testing"

	"github.com/liveproof/liveproof/onnx"
)

func TestSizes(t *testing.T) {
	cases := []struct {
		provider onnx.Provider
		max      int
		want     []int
		apart    bool
	}{
		{onnx.ProviderCPU, 1, []int{1}, false},
		{onnx.ProviderCPU, 7, []int{1, 2, 3, 4, 5, 6, 7}, false},
		{onnx.ProviderAuto, 3, []int{1, 2, 3}, false},
		{onnx.ProviderOpenVINO, 3, []int{1, 2, 3}, false},
		{onnx.ProviderCUDA, 1, []int{1}, true},
		{onnx.ProviderCUDA, 8, []int{1, 4, 8}, true},
		{onnx.ProviderCUDA, 20, []int{1, 4, 16, 20}, true},
		{onnx.ProviderCUDA, 256, []int{1, 4, 16, 32, 64, 128, 256}, true},
		{onnx.ProviderTensorRT, 64, []int{1, 4, 16, 32, 64}, false},
	}
	for _, c := range cases {
		got := sizesFor(c.provider, c.max)
		if !slices.Equal(got.all, c.want) || got.apart != c.apart || got.largest() != c.max {
			t.Errorf("%s, at most %d: %v, want %v, apart %v", c.provider, c.max, got, c.want, c.apart)
		}
		for n := 1; n <= c.max; n++ {
			if size := got.all[got.holding(n)]; size < n || n > 16 && size > 2*n {
				t.Errorf("%s, at most %d: %d crops in a batch of %d", c.provider, c.max, n, size)
			}
		}
	}
}
