package scorer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

func TestLoadRefusesEveryOtherModel(t *testing.T) {
	tiny := readModel(t, "tiny.onnx")
	truncated, pinned := tiny, tiny
	truncated.Data = tiny.Data[:len(tiny.Data)*2/3]
	pinned.SHA256 = strings.Repeat("0", 64)
	cases := []struct {
		name  string
		model Model
		is    error
		want  string
	}{
		{"truncated file", truncated, onnx.ErrModel, "model tiny.onnx"},
		{"no bytes", Model{Name: "empty"}, onnx.ErrModel, "it is empty"},
		{"wrong hash", pinned, ErrContract, "file SHA-256: expected " + pinned.SHA256 + ", found "},
		{"wrong shape", readModel(t, "wrong_shape.onnx"), ErrContract,
			"input faces: expected faces uint8[-1 224 224 3], found faces uint8[-1 112 112 3]"},
		{"other schema", readModel(t, "wrong_schema.onnx"), ErrContract, `metadata liveproof.schema: expected "1", found "999"`},
		{"no metadata", readModel(t, "missing_metadata.onnx"), ErrContract, `metadata liveproof.schema: expected "1", found none`},
		{"NaN", readModel(t, "nan.onnx"), liveproof.ErrScoreInvalid, "warm-up"},
		{"ρ above 1", readModel(t, "out_of_range.onnx"), liveproof.ErrScoreInvalid, "warm-up"},
	}
	for _, p := range []onnx.Provider{onnx.ProviderCPU, onnx.ProviderAuto} {
		rt := openRuntimeOn(t, onnx.Execution{Provider: p, Precision: onnx.PrecisionAuto})
		for _, c := range cases {
			b, err := Load(t.Context(), rt, c.model, DefaultConfig(), quiet)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || b != nil {
				t.Errorf("%s: %s: Load = %v, %v; want %q in it", p, c.name, b, err, c.want)
			}
		}
	}
}

func loadTiny(t testing.TB, cfg Config) (*onnx.Runtime, Backend) {
	t.Helper()
	rt := openRuntime(t)
	b, err := Load(context.Background(), rt, readModel(t, "tiny.onnx"), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return rt, b
}

// With the batch sizes of a GPU, most batches are padded with old contents of the tensor.
func TestBackendPadsABatchToTheNextSize(t *testing.T) {
	rt := openRuntime(t)
	b, err := load(t.Context(), rt, readModel(t, "tiny.onnx"), DefaultConfig(), sizes{all: []int{1, 3, 8}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	for n := 8; n >= 1; n-- {
		crops, rho := make([]*Crop, n), make([]float32, n)
		for i := range crops {
			crops[i] = lend(t, plain(uint8(20*n+i)))
		}
		if err := b.Score(t.Context(), crops, rho); err != nil {
			t.Fatal(err)
		}
		for i, r := range rho {
			if want := float64(20*n+i) / 255; math.Abs(float64(r)-want) > 1e-3 {
				t.Errorf("batch of %d, crop %d: ρ = %v, want %v", n, i, r, want)
			}
		}
	}
	if err := b.Score(t.Context(), make([]*Crop, 9), make([]float32, 9)); err == nil || !strings.Contains(err.Error(), "at most 8") {
		t.Errorf("a batch of 9: %v", err)
	}
}

func TestBackendScoresEveryBatchSize(t *testing.T) {
	_, b := loadTiny(t, DefaultConfig())
	defer func() { _ = b.Close() }()
	want := liveproof.ModelInfo{Name: "tiny-mean-brightness-fp32", Threshold: .5, Demo: true, Provider: "cpu", Precision: "fp32"}
	info := b.Info()
	if want.SHA256 = info.SHA256; info != want || len(info.SHA256) != 64 {
		t.Errorf("Info = %+v", info)
	}
	for n := 8; n >= 1; n-- { // a smaller batch must not see the larger one's crops
		crops, rho := make([]*Crop, n), make([]float32, n)
		for i := range crops {
			crops[i] = lend(t, plain(uint8(20*n+i)))
		}
		if err := b.Score(t.Context(), crops, rho); err != nil {
			t.Fatal(err)
		}
		for i, got := range rho {
			if want := float64(20*n+i) / 255; math.Abs(float64(got)-want) > 1e-4 {
				t.Errorf("batch of %d, crop %d: ρ = %v, want %v", n, i, got, want)
			}
		}
	}
}

func TestBackendRefusesWrongBatches(t *testing.T) {
	_, b := loadTiny(t, DefaultConfig())
	defer func() { _ = b.Close() }()
	nine := slices.Repeat([]*Crop{lend(t, plain(1))}, 9)
	for name, crops := range map[string][]*Crop{"none": {}, "too many": nine} {
		if err := b.Score(t.Context(), crops, make([]float32, len(crops))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := b.Score(t.Context(), nine[:2], make([]float32, 1)); err == nil {
		t.Error("fewer scores than crops: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Score(ctx, nine[:1], make([]float32, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Errorf("Close twice: %v", err)
	}
}

// The model whose output is NaN, on the real runtime and past the warm-up that
// would have refused it.
func TestNotANumberNeverBecomesAScore(t *testing.T) {
	for _, name := range []string{"nan.onnx", "out_of_range.onnx"} {
		backend, err := load(t.Context(), openRuntime(t), readModel(t, name), DefaultConfig(), sizes{all: []int{1}}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := startBatcher(t, DefaultConfig(), backend)
		for range DefaultConfig().FailureThreshold {
			if rho, err := scoreOnce(t.Context(), b, "a", plain(200)); !errors.Is(err, liveproof.ErrScoreInvalid) || rho != 0 {
				t.Errorf("%s: Score = %v, %v", name, rho, err)
			}
		}
		model := b.models.set.current
		_ = b.Close() // ends the last batch, which tells the health after it has answered
		if model.state.health.cause == nil {
			t.Errorf("%s: still ready", name)
		}
	}
}

func TestManySessionsOnTheRealRuntime(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Workers = 2
	_, backend := loadTiny(t, cfg)
	b, reg := startBatcher(t, cfg, backend)
	var sessions sync.WaitGroup
	for s := range 12 {
		sessions.Go(func() {
			crop, want := plain(uint8(20*s)), float64(20*s)/255
			for range 8 {
				rho, err := scoreOnce(t.Context(), b, liveproof.SessionID(fmt.Sprint(s)), crop)
				if err != nil || math.Abs(rho-want) > 1e-4 {
					t.Errorf("session %d: ρ = %v, %v; want %v", s, rho, err, want)
				}
			}
		})
	}
	sessions.Wait()
	if n := value(t, reg, "samples_total", resultScored); n != 96 {
		t.Errorf("%v samples scored", n)
	}
}

// A hot swap to any bad model keeps the old one; to a good one changes it.
func TestReplaceKeepsTheOldModelOnAnyFault(t *testing.T) {
	rt, backend := loadTiny(t, DefaultConfig())
	b, reg := startBatcher(t, DefaultConfig(), backend)
	before := b.Info()
	truncated := readModel(t, "tiny.onnx")
	truncated.Data = truncated.Data[:100]
	for _, bad := range []Model{
		truncated, readModel(t, "wrong_schema.onnx"), readModel(t, "wrong_shape.onnx"), readModel(t, "nan.onnx"),
	} {
		if err := b.Replace(t.Context(), rt, bad); err == nil || !strings.Contains(err.Error(), "the model stays") {
			t.Errorf("Replace by %s = %v", bad.Name, err)
		}
		if rho, err := scoreOnce(t.Context(), b, "a", plain(255)); err != nil || rho < .999 || b.Info() != before {
			t.Errorf("after %s: ρ = %v, %v, model %v", bad.Name, rho, err, b.Info())
		}
	}
	if err := b.Replace(t.Context(), rt, readModel(t, "tiny.onnx")); err != nil || value(t, reg, "model_swaps_total", "") != 1 {
		t.Errorf("Replace by a good one = %v", err)
	}
	if rho, err := scoreOnce(t.Context(), b, "a", plain(255)); err != nil || rho < .999 {
		t.Errorf("after the swap: %v, %v", rho, err)
	}
}
