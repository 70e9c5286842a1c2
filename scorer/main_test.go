package scorer

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// fakeBackend scores a crop by its first byte over 255, unless run says otherwise.
type fakeBackend struct {
	name   string
	lanes  int // workers; 0: one
	run    func(ctx context.Context, crops []*Crop, rho []float32) error
	mu     sync.Mutex
	sizes  []int
	closed atomic.Int32
}

func (f *fakeBackend) Score(ctx context.Context, crops []*Crop, rho []float32) error {
	f.mu.Lock()
	f.sizes = append(f.sizes, len(crops))
	f.mu.Unlock()
	if f.run != nil {
		return f.run(ctx, crops, rho)
	}
	return brightness(ctx, crops, rho)
}

func brightness(_ context.Context, crops []*Crop, rho []float32) error {
	for i, crop := range crops {
		rho[i] = float32(firstByte(crop)) / 255
	}
	return nil
}

// firstByte is what a network would read of a plain crop.
func firstByte(crop *Crop) uint8 {
	pixels := make([]byte, cropBytes)
	crop.CopyTo(pixels)
	return pixels[0]
}

func (f *fakeBackend) Info() liveproof.ModelInfo {
	return liveproof.ModelInfo{Name: f.name, Threshold: .5}
}
func (f *fakeBackend) Fill(n int) int { return n }

func (f *fakeBackend) Workers() int { return max(1, f.lanes) }
func (f *fakeBackend) Close() error { f.closed.Add(1); return nil }

func (f *fakeBackend) batches() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]int(nil), f.sizes...)
}

// plain is a crop of one brightness.
func plain(v uint8) *liveproof.Image {
	crop := liveproof.NewImage(InputSize, InputSize)
	for i := range crop.Pix {
		crop.Pix[i] = v
	}
	return crop
}

// lend makes a Crop of a picture that must be one.
func lend(t testing.TB, picture *liveproof.Image) *Crop {
	t.Helper()
	crop, err := borrow(picture)
	if err != nil {
		t.Fatal(err)
	}
	return crop
}

// startBatcher runs a batcher over backend until the test's end.
func startBatcher(t testing.TB, cfg Config, backend Backend) (*Batcher, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	b, err := New(cfg, backend, NewMetrics(reg), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.Run(context.Background()) }()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-done; err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Run: %v", err)
		}
	})
	return b, reg
}

// scoreOnce scores a crop with the model that is current.
func scoreOnce(ctx context.Context, b *Batcher, id liveproof.SessionID, crop *liveproof.Image) (float64, error) {
	pin, err := b.Pin()
	if err != nil {
		return 0, err
	}
	defer pin.Release()
	return pin.Score(ctx, id, crop)
}

// value is the sum of a metric's values with that label value (any for "").
func value(t testing.TB, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, family := range families {
		if family.GetName() != prefix+name {
			continue
		}
		for _, m := range family.GetMetric() {
			if label == "" || m.GetLabel()[0].GetValue() == label {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return total
}

// openRuntime opens the plain CPU provider, whose scores are the same everywhere.
func openRuntime(t testing.TB) *onnx.Runtime {
	t.Helper()
	return openRuntimeOn(t, onnx.Execution{Provider: onnx.ProviderCPU, Precision: onnx.PrecisionFP32})
}

func openRuntimeOn(t testing.TB, on onnx.Execution) *onnx.Runtime {
	t.Helper()
	cfg := onnx.DefaultConfig()
	cfg.Provider, cfg.Precision = on.Provider, on.Precision
	rt, err := onnx.Open(cfg)
	if errors.Is(err, onnx.ErrLibrary) && os.Getenv(onnx.LibraryEnv) == "" {
		t.Skipf("ONNX Runtime's shared library is missing: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	return rt
}

func readModel(t testing.TB, name string) Model {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return Model{Name: name, Data: data}
}
