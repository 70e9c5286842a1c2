package scorer

import (
	"encoding/json"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

const modelsDir = "../models"

// limits are the largest |Δρ| of a crop, by execution.
type limits func(ran execution, m committedModel) float64

// elsewhere is against the scores that the trainer computed when it wrote the golden file, with the same model and the plain
// CPU provider on another machine. Floating point differs in the last digits between CPUs. int8 kernels round
// between layers, so a last digit may become a step of 8 bits; their sums are exact, also without AVX-512 VNNI or AMX
// (onnx.exactSums). Another provider may differ by what the scorer accepts at load.
func elsewhere(ran execution, m committedModel) float64 {
	return rhoLimit(m.precision, ran.Precision)
}

// fromPyTorch is against the network that was trained. fp16 stands for fp32, which is not committed: the rounding of its
// weights moves ρ by less than 2e-3. int8 rounds every tensor to 256 levels: single crops in the middle of the scale, where
// ρ is steepest, move by up to 0.15; what is held there is the mean.
func fromPyTorch(ran execution, m committedModel) float64 {
	stored := map[string]float64{"fp32": 1e-4, "fp16": 2e-3, "int8": 0.2}[m.precision]
	return max(stored, rhoLimit(m.precision, ran.Precision))
}

// meanFromPyTorch is the largest mean |Δρ| over the golden crops.
func meanFromPyTorch(ran execution, m committedModel) float64 {
	switch {
	case m.precision == "int8":
		return 5e-2
	case ran.Precision == onnx.PrecisionBF16:
		return 1e-2
	}
	return fromPyTorch(ran, m)
}

// execution is what the crops are scored with.
type execution = onnx.Execution

// executions are those of this machine: OpenVINO where it is installed, bf16 where the CPU has it.
func executions(t testing.TB) []execution {
	t.Helper()
	all := []execution{{Provider: onnx.ProviderCPU, Precision: onnx.PrecisionFP32}}
	for _, precision := range []onnx.Precision{onnx.PrecisionFP32, onnx.PrecisionBF16} {
		e := execution{Provider: onnx.ProviderOpenVINO, Precision: precision}
		rt := openRuntimeOn(t, e)
		b, err := load(t.Context(), rt, readModel(t, "tiny.onnx"), DefaultConfig(), sizesFor(onnx.ProviderCPU, 8), quiet)
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

// TestGoldenCrops scores the golden crops with every committed model on every execution provider of this machine. With -v it
// prints the rows of the table in docs/model-contract.md.
func TestGoldenCrops(t *testing.T) {
	cases := readGolden(t)
	for _, model := range committedModels(t) {
		var plain []float64 // of the CPU provider, which is the first
		for _, on := range executions(t) {
			t.Run(model.name+"/"+on.String(), func(t *testing.T) {
				g := golden{model, on, cases, loadOn(t, on, model)}
				rho := g.alone(t)
				if plain == nil {
					plain = rho
				}
				largest, mean := differences(rho, plain)
				t.Logf("| %s | %s | %.1g | %.1g |", model.name, on, largest, mean)
				g.equalGoldenFile(t, rho)
				g.equalPyTorch(t, rho)
				g.equalInABatch(t, rho)
			})
		}
	}
}

// golden scores the golden crops with one model.
type golden struct {
	model   committedModel
	on      execution
	cases   []goldenCase
	backend Backend
}

// alone scores every crop by itself.
func (g golden) alone(t *testing.T) []float64 {
	t.Helper()
	rho := make([]float64, len(g.cases))
	for i, c := range g.cases {
		one := make([]float32, 1)
		if err := g.backend.Score(t.Context(), []*Crop{goldenCrop(t, c)}, one); err != nil {
			t.Fatal(err)
		}
		rho[i] = float64(one[0])
	}
	return rho
}

func (g golden) equalGoldenFile(t *testing.T, rho []float64) {
	t.Helper()
	for i, c := range g.cases {
		want, scored := c.Rho[g.model.name]
		if !scored {
			t.Fatalf("golden.json has no score of %s (run: the trainer's golden command)", g.model.name)
		}
		g.within(t, c.Image, rho[i], want, elsewhere)
	}
}

// equalPyTorch is Go ↔ ONNX Runtime ↔ PyTorch: the whole way from the trained network to this process.
func (g golden) equalPyTorch(t *testing.T, rho []float64) {
	t.Helper()
	if _, known := g.cases[0].PyTorch[g.model.network]; !known {
		t.Logf("golden.json has no scores of PyTorch for %s: it was written without the checkpoint", g.model.network)
		return
	}
	want := make([]float64, len(g.cases))
	for i, c := range g.cases {
		want[i] = c.PyTorch[g.model.network]
		g.within(t, c.Image, rho[i], want[i], fromPyTorch)
	}
	if _, mean := differences(rho, want); !(mean <= meanFromPyTorch(g.on, g.model)) {
		t.Errorf("mean |Δρ| from PyTorch %.4f > %v", mean, meanFromPyTorch(g.on, g.model))
	}
}

// equalInABatch: the score of a crop must not depend on the other crops of its batch.
func (g golden) equalInABatch(t *testing.T, alone []float64) {
	t.Helper()
	var crops []*Crop
	for i := range DefaultConfig().MaxBatch {
		crops = append(crops, goldenCrop(t, g.cases[i%len(g.cases)]))
	}
	together := make([]float32, len(crops))
	if err := g.backend.Score(t.Context(), crops, together); err != nil {
		t.Fatal(err)
	}
	for i, rho := range together {
		if diff := math.Abs(float64(rho) - alone[i%len(g.cases)]); !(diff <= 1e-3) {
			t.Errorf("crop %d: %v alone, %v in a batch", i, alone[i%len(g.cases)], rho)
		}
	}
}

func (g golden) within(t *testing.T, image string, got, want float64, limit limits) {
	t.Helper()
	if diff := math.Abs(got - want); !(diff <= limit(g.on, g.model)) {
		t.Errorf("%s: ρ = %.6f, want %.6f (|Δρ| %.6f > %v)", image, got, want, diff, limit(g.on, g.model))
	}
}

// differences are the largest and the mean |Δρ|.
func differences(a, b []float64) (largest, mean float64) {
	for i := range a {
		d := math.Abs(a[i] - b[i])
		largest, mean = max(largest, d), mean+d/float64(len(a))
	}
	return largest, mean
}

func loadOn(t *testing.T, on execution, m committedModel) Backend {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(modelsDir, m.name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	backend, err := Load(t.Context(), openRuntimeOn(t, on), Model{Name: m.name, Data: data}, DefaultConfig(), quiet)
	if errors.Is(err, onnx.ErrProvider) && on.Provider == onnx.ProviderOpenVINO && m.precision == "int8" && saturates() {
		t.Skipf("OpenVINO's 8-bit sums saturate on this CPU, so it is refused: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	return backend
}

// saturates reports whether the CPU has no instruction that sums products of 8 bits exactly. The plain CPU provider does without it (onnx.exactSums).
func saturates() bool { return !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI }

// committedModel is a file of models/.
type committedModel struct {
	name      string // of the file, without .onnx
	network   string // name without the precision
	precision string
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
