package scorer

import (
	"slices"
	"testing"

	"github.com/liveproof/liveproof/onnx"
)

func TestBatchSizes(t *testing.T) {
	cases := []struct {
		provider onnx.Provider
		max      int
		want     []int
	}{
		{onnx.ProviderCPU, 1, []int{1}},
		{onnx.ProviderCPU, 7, []int{1, 2, 3, 4, 5, 6, 7}},
		{onnx.ProviderCUDA, 1, []int{1}},
		{onnx.ProviderCUDA, 20, []int{1, 2, 3, 4, 6, 8, 12, 16, 20}},
		{onnx.ProviderCUDA, 64, []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64}},
		{onnx.ProviderTensorRT, 256, []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256}},
	}
	for _, c := range cases {
		if got := batchSizes(c.provider, c.max); !slices.Equal(got, c.want) {
			t.Errorf("%s, at most %d: %v, want %v", c.provider, c.max, got, c.want)
		}
	}
}
