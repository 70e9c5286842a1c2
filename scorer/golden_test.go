package scorer

import (
	"encoding/json"
	"errors"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/liveproof/liveproof"
)

const modelsDir = "../models"

// tolerance is the largest |Δρ| against the scores that the trainer computed when it
// exported. Floating point differs in the last digits between CPUs. int8 kernels differ
// more: with AVX-512 VNNI or AMX sums are exact, without them (AVX2) intermediate
// sums saturate, so the value only says that it is the same network.
var tolerance = map[string]float64{"fp32": 1e-4, "fp16": 2e-3, "int8": 5e-2}

type goldenCase struct {
	Image string             `json:"image"`
	Rho   map[string]float64 `json:"rho"` // by precision
}

func TestGoldenScores(t *testing.T) {
	cases := readGolden(t)
	for _, precision := range committedPrecisions(t, cases) {
		t.Run(precision, func(t *testing.T) {
			_, backend := loadCommitted(t, precision, DefaultConfig())
			defer func() { _ = backend.Close() }()
			for _, c := range cases {
				crop := readCrop(t, filepath.Join(modelsDir, "golden", c.Image))
				rho := make([]float32, 1)
				if err := backend.Score(t.Context(), [][]byte{crop.Pix}, rho); err != nil {
					t.Fatal(err)
				}
				if diff := math.Abs(float64(rho[0]) - c.Rho[precision]); !(diff <= tolerance[precision]) {
					t.Errorf("%s: ρ = %.6f, want %.6f (|Δρ| %.6f > %v)", c.Image, rho[0], c.Rho[precision], diff, tolerance[precision])
				}
			}
		})
	}
}

// The scores of a crop must not depend on its company in the batch.
func TestScoreDoesNotDependOnTheBatch(t *testing.T) {
	cases := readGolden(t)
	for _, precision := range committedPrecisions(t, cases) {
		_, backend := loadCommitted(t, precision, DefaultConfig())
		var crops [][]byte
		for i := range DefaultConfig().MaxBatch {
			crops = append(crops, readCrop(t, filepath.Join(modelsDir, "golden", cases[i%len(cases)].Image)).Pix)
		}
		together := make([]float32, len(crops))
		if err := backend.Score(t.Context(), crops, together); err != nil {
			t.Fatal(err)
		}
		for i, crop := range crops {
			alone := make([]float32, 1)
			if err := backend.Score(t.Context(), [][]byte{crop}, alone); err != nil {
				t.Fatal(err)
			}
			if diff := math.Abs(float64(alone[0] - together[i])); !(diff <= 1e-3) {
				t.Errorf("%s, crop %d: %v alone, %v in a batch", precision, i, alone[0], together[i])
			}
		}
		_ = backend.Close()
	}
}

// committedPrecisions are those with a score and a file; int8, the default, must be.
func committedPrecisions(t *testing.T, cases []goldenCase) []string {
	t.Helper()
	precisions := []string{"int8"}
	for _, p := range []string{"fp16", "fp32"} {
		_, scored := cases[0].Rho[p]
		if _, err := os.Stat(filepath.Join(modelsDir, "liveproof-demo-resnet18-"+p+".onnx")); scored && err == nil {
			precisions = append(precisions, p)
		}
	}
	return precisions
}

func readGolden(t testing.TB) []goldenCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(modelsDir, "golden", "golden.json"))
	if models, _ := filepath.Glob(filepath.Join(modelsDir, "*.onnx")); errors.Is(err, fs.ErrNotExist) && len(models) == 0 {
		t.Skip("no trained model with golden scores is in models/")
	}
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
