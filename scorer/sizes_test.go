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
			if fill := got.fill(n); fill != n && !slices.Contains(got.all, fill) || fill > n || 2*fill < n || c.provider.OnCPU() && fill != n {
				t.Errorf("%s, at most %d: of %d crops %d are run", c.provider, c.max, n, fill)
			}
			if size := got.all[got.holding(n)]; size < n || n > 16 && size > 2*n {
				t.Errorf("%s, at most %d: %d crops in a batch of %d", c.provider, c.max, n, size)
			}
		}
	}
}

func TestABatchIsAlmostFullOrSmall(t *testing.T) {
	s := sizesFor(onnx.ProviderCUDA, 256)
	for n, want := range map[int]int{1: 1, 3: 3, 5: 5, 16: 16, 17: 16, 27: 16, 28: 28, 32: 32, 33: 32, 65: 64, 111: 64, 112: 112, 223: 128, 224: 224, 256: 256} {
		if got := s.fill(n); got != want {
			t.Errorf("of %d crops %d are run, want %d", n, got, want)
		}
	}
}
