package scorer

import (
	"slices"
	"testing"

	"github.com/liveproof/liveproof/onnx"
)

func TestRhoLimit(t *testing.T) {
	for _, c := range []struct {
		stored     string
		arithmetic onnx.Precision
		want       float64
	}{
		{"fp32", onnx.PrecisionFP32, 1e-4},
		{"fp16", onnx.PrecisionFP32, 1e-4},
		{"fp16", onnx.PrecisionFP16, 2e-3},
		{"fp32", onnx.PrecisionTF32, 2e-3},
		{"fp16", onnx.PrecisionBF16, 3e-2},
		{"int8", onnx.PrecisionFP32, 5e-2},
		{"int8", onnx.PrecisionBF16, 5e-2},
	} {
		if got := rhoLimit(c.stored, c.arithmetic); got != c.want {
			t.Errorf("%s in %s: limit %v, want %v", c.stored, c.arithmetic, got, c.want)
		}
	}
}

// Pictures that all have the same score would not show a difference of arithmetic.
func TestTrialPictures(t *testing.T) {
	pictures := trialPictures()
	again := trialPictures()
	for i, picture := range pictures {
		if !slices.Equal(picture, again[i]) {
			t.Errorf("picture %d is another one each time", i)
		}
	}
	for _, model := range committedModels(t) {
		backend := loadOn(t, onnx.Execution{Provider: onnx.ProviderCPU, Precision: onnx.PrecisionFP32}, model).(*onnxBackend)
		tried := newTrial(openRuntime(t), model.name)
		var rho []float32
		for i := range pictures {
			one, err := tried.run(t.Context(), backend.networks.sessions[0].(*onnx.Session), i)
			if err != nil {
				t.Fatal(err)
			}
			rho = append(rho, one...)
		}
		if err := tried.close(); err != nil {
			t.Error(err)
		}
		if slices.Max(rho)-slices.Min(rho) < 0.2 || slices.Min(rho) < 0.05 || slices.Max(rho) > 0.95 {
			t.Errorf("%s: ρ = %v does not span the middle of the scale", model.name, rho)
		}
	}
}
