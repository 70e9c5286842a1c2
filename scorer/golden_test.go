package scorer

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liveproof/liveproof"
)

const modelsDir = "../models"

// limits are the largest |Δρ| of a crop, by execution.
type limits func(ran execution, m committedModel) float64

// elsewhere is against the scores that the trainer computed when it wrote the golden file, with the same model and the plain
// CPU provider on another machine. Floating point differs in the last digits between CPUs. int8 kernels differ more: with
// AVX-512 VNNI or AMX sums are exact, without them (AVX2) intermediate sums saturate, so the value only says that it
// is the same network. Another provider may differ by what the scorer accepts at load.
func elsewhere(ran execution, m committedModel) float64 {
	return rhoLimit(m.precision, ran.precision)
}

// fromPyTorch is against the network that was trained. fp16 stands for fp32, which is not committed: the rounding of its
// weights moves ρ by less than 2e-3. int8 rounds every tensor to 256 levels: single crops in the middle of the scale, where
// ρ is steepest, move by up to 0.15; what is held there is the mean.
func fromPyTorch(ran execution, m committedModel) float64 {
	stored := map[string]float64{"fp32": 1e-4, "fp16": 2e-3, "int8": 0.2}[m.precision]
	return max(stored, rhoLimit(m.precision, ran.precision))
}

// meanFromPyTorch is the largest mean |Δρ| over the golden crops.
func meanFromPyTorch(ran execution, m committedModel) float64 {
	switch {
	case m.precision == "int8":
		return 5e-2
	case ran.precision == onnx.PrecisionBF16:
		return 1e-2
	}
	return fromPyTorch(ran, m)
}

// execution is what the crops are scored with.
type execution struct {
	provider  onnx.Provider
	precision onnx.Precision
}

func (e execution) String() string { return string(e.provider) + "-" + string(e.precision) }

// executions are those of this machine: OpenVINO where it is installed, bf16 where the CPU has it.
func executions(t testing.TB) []execution {
	t.Helper()
	all := []execution{{onnx.ProviderCPU, onnx.PrecisionFP32}}
	for _, e := range []execution{{onnx.ProviderOpenVINO, onnx.PrecisionFP32}, {onnx.ProviderOpenVINO, onnx.PrecisionBF16}} {
		rt := openRuntimeOn(t, e)
		b, err := load(t.Context(), rt, readModel(t, "tiny.onnx"), DefaultConfig(), quiet)
		if errors.Is(err, onnx.ErrProvider) {
			t.Logf("%v is not measured: %v", e, err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = b.Close()
		all = append(all, e)
	}
	return all
}

type goldenCase struct {
	Image string `json:"image"`
	// Rho is ONNX Runtime's score by model (name and precision), PyTorch's by model name.
	Rho     map[string]float64 `json:"rho"`
	PyTorch map[string]float64 `json:"pytorch"`
}

func TestGoldenScores(t *testing.T) {
	for _, model := range committedModels(t) {
		t.Run(model.name, func(t *testing.T) {
			cases := readGolden(t)
			rho := scoreGolden(t, model, cases)
			for i, c := range cases {
				want, scored := c.Rho[model.name]
				if !scored {
					t.Fatalf("golden.json has no score of %s (run: the trainer's golden command)", model.name)
				}
				model.within(t, c.Image, rho[i], want, elsewhere)
			}
		})
	}
}

// Go ↔ ONNX Runtime ↔ PyTorch: the whole way from the trained network to this process.
func TestParityWithPyTorch(t *testing.T) {
	for _, model := range committedModels(t) {
		t.Run(model.name, func(t *testing.T) {
			cases := readGolden(t)
			if _, known := cases[0].PyTorch[model.network]; !known {
				t.Skipf("golden.json has no scores of PyTorch for %s: it was written without the checkpoint", model.network)
			}
			rho, sum := scoreGolden(t, model, cases), 0.
			for i, c := range cases {
				want := c.PyTorch[model.network]
				model.within(t, c.Image, rho[i], want, fromPyTorch)
				sum += math.Abs(rho[i] - want)
			}
			if mean := sum / float64(len(cases)); !(mean <= meanFromPyTorch[model.precision]) {
				t.Errorf("mean |Δρ| from PyTorch %.4f > %v", mean, meanFromPyTorch[model.precision])
			}
		})
	}
}

// The scores of a crop must not depend on its company in the batch.
func TestScoreDoesNotDependOnTheBatch(t *testing.T) {
	for _, model := range committedModels(t) {
		t.Run(model.name, func(t *testing.T) {
			cases := readGolden(t)
			alone := scoreGolden(t, model, cases)
			_, backend := loadCommitted(t, model.name, DefaultConfig())
			defer func() { _ = backend.Close() }()
			var crops []*Crop
			for i := range DefaultConfig().MaxBatch {
				crops = append(crops, goldenCrop(t, cases[i%len(cases)]))
			}
			together := make([]float32, len(crops))
			if err := backend.Score(t.Context(), crops, together); err != nil {
				t.Fatal(err)
			}
			for i, rho := range together {
				if diff := math.Abs(float64(rho) - alone[i%len(cases)]); !(diff <= 1e-3) {
					t.Errorf("crop %d: %v alone, %v in a batch", i, alone[i%len(cases)], rho)
				}
			}
		})
	}
}

// committedModel is a file of models/.
type committedModel struct {
	name      string // of the file, without .onnx
	network   string // name without the precision
	precision string
}

func (m committedModel) within(t *testing.T, image string, got, want float64, limit limits) {
	t.Helper()
	if diff := math.Abs(got - want); !(diff <= limit[m.precision]) {
		t.Errorf("%s: ρ = %.6f, want %.6f (|Δρ| %.6f > %v)", image, got, want, diff, limit[m.precision])
	}
}

// committedModels are all files of models/ but fp32, which git ignores.
func committedModels(t testing.TB) []committedModel {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(modelsDir, "*.onnx"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no model is in %s (%v)", modelsDir, err)
	}
	var all []committedModel
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		at := strings.LastIndexByte(name, '-')
		if m := (committedModel{name, name[:max(at, 0)], name[at+1:]}); m.precision != "fp32" {
			all = append(all, m)
		}
	}
	return all
}

// scoreGolden scores every case by itself.
func scoreGolden(t *testing.T, model committedModel, cases []goldenCase) []float64 {
	t.Helper()
	_, backend := loadCommitted(t, model.name, DefaultConfig())
	defer func() { _ = backend.Close() }()
	rho := make([]float64, len(cases))
	for i, c := range cases {
		one := make([]float32, 1)
		if err := backend.Score(t.Context(), []*Crop{goldenCrop(t, c)}, one); err != nil {
			t.Fatal(err)
		}
		rho[i] = float64(one[0])
	}
	return rho
}

func readGolden(t testing.TB) []goldenCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(modelsDir, "golden", "golden.json"))
	var file struct {
		Cases []goldenCase `json:"cases"`
	}
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil || len(file.Cases) == 0 || len(file.Cases[0].Rho) == 0 {
		t.Fatalf("golden.json: %d cases, %v", len(file.Cases), err)
	}
	return file.Cases
}

func goldenCrop(t testing.TB, c goldenCase) *Crop {
	t.Helper()
	return lend(t, readCrop(t, filepath.Join(modelsDir, "golden", c.Image)))
}

func readCrop(t testing.TB, path string) *liveproof.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	bounds := picture.Bounds()
	crop := liveproof.NewImage(bounds.Dx(), bounds.Dy())
	for y := range crop.Height {
		for x := range crop.Width {
			r, g, b, _ := picture.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			copy(crop.Pix[y*crop.Stride+3*x:], []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
		}
	}
	return crop
}
