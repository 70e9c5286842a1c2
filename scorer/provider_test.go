package scorer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// What scripts/gpu-check.sh sets.
const (
	providerEnv   = "LIVEPROOF_BENCH_PROVIDER"    // cpu, cuda or tensorrt; without it, the tests of providers are skipped
	batchesEnv    = "LIVEPROOF_BENCH_BATCHES"     // batch sizes of the bare runtime, comma-separated
	maxBatchesEnv = "LIVEPROOF_BENCH_MAX_BATCHES" // max_batch of the batcher, comma-separated
	workersEnv    = "LIVEPROOF_BENCH_WORKERS"     // workers of the batcher, comma-separated
	precisionEnv  = "LIVEPROOF_BENCH_PRECISION"   // auto, or a precision of the provider
	rateShare     = .8                            // of the bare runtime's best rate, which the batcher is to bear
)

// providerUnderTest is the runtime configuration that the environment asks for.
func providerUnderTest(t testing.TB) onnx.Config {
	t.Helper()
	cfg := onnx.DefaultConfig()
	cfg.Provider = onnx.Provider(os.Getenv(providerEnv))
	if cfg.Provider == "" {
		t.Skipf("%s is not set to cpu, cuda or tensorrt", providerEnv)
	}
	cfg.Precision = onnx.Precision(cmp.Or(os.Getenv(precisionEnv), string(onnx.PrecisionAuto)))
	cfg.TensorRTCacheDir = t.TempDir()
	return cfg
}

// plainCPU is the provider that the others are compared with.
func plainCPU() onnx.Config {
	cfg := onnx.DefaultConfig()
	cfg.Provider = onnx.ProviderCPU
	return cfg
}

// loadPath loads a model with a provider until the test's end.
func loadPath(t testing.TB, runtime onnx.Config, path string, cfg Config) *onnxBackend {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := onnx.Open(runtime)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	began := time.Now()
	backend, err := Load(context.Background(), rt, Model{Name: filepath.Base(path), Data: data}, cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	fmt.Printf("loaded model=%s provider=%s max_batch=%d seconds=%.2f\n", modelName(path), runtime.Provider, cfg.MaxBatch, time.Since(began).Seconds())
	return backend.(*onnxBackend)
}

func modelName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".onnx") }

// The golden crops' scores on the provider against those on the CPU, one by one and in one batch.
func TestProviderParity(t *testing.T) {
	runtime := providerUnderTest(t)
	for _, path := range benchmarked(t) {
		t.Run(modelName(path), func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.MaxBatch, cfg.Workers = 1, 1
			want := scoresOn(t, loadPath(t, plainCPU(), path, cfg), 1)
			cfg.MaxBatch = len(want)
			backend := loadPath(t, runtime, path, cfg)
			limit := rhoLimit(backend.contract.Precision, backend.execution.Precision)
			for _, batch := range []int{1, len(want)} {
				largest, sum, trained := 0., 0., 0.
				for i, rho := range scoresOn(t, backend, batch) {
					diff := math.Abs(float64(rho) - float64(want[i]))
					largest, sum = max(largest, diff), sum+diff
					trained = max(trained, math.Abs(float64(rho)-readGolden(t)[i].PyTorch[backend.contract.Name]))
				}
				t.Logf("parity model=%s provider=%s arithmetic=%s batch=%d crops=%d largest=%.6f mean=%.6f pytorch=%.6f limit=%v", modelName(path),
					runtime.Provider, backend.execution.Precision, batch, len(want), largest, sum/float64(len(want)), trained, limit)
				if !(largest <= limit) {
					t.Errorf("|Δρ| = %.6f from the CPU in batches of %d, want at most %v", largest, batch, limit)
				}
			}
		})
	}
}

func scoresOn(t testing.TB, backend Backend, batch int) []float32 {
	t.Helper()
	var crops []*Crop
	for _, c := range readGolden(t) {
		crops = append(crops, goldenCrop(t, c))
	}
	rho := make([]float32, len(crops))
	for at := 0; at < len(crops); at += batch {
		end := min(at+batch, len(crops))
		if err := backend.Score(t.Context(), crops[at:end], rho[at:end]); err != nil {
			t.Fatal(err)
		}
	}
	return rho
}

// The bare runtime at each batch size, alone and with a second run beside it; then the batcher with as
// many sessions as keep it busy, and with crops that come at a steady rate.
func BenchmarkProvider(b *testing.B) {
	runtime, batches := providerUnderTest(b), numbersOf(b, batchesEnv, "1,4,16,32,64,128,256")
	for _, path := range benchmarked(b) {
		b.Run(modelName(path), func(b *testing.B) {
			cfg := benchConfig(slices.Max(batches))
			cfg.Workers = max(gpuWorkers, slices.Max(benchWorkers(b)))
			backend := loadPath(b, runtime, path, cfg)
			best := 0.
			for _, runs := range []int{1, 2} {
				for _, batch := range batches {
					best = max(best, benchmarkBare(b, backend, runs, batch))
				}
			}
			benchmarkBatchers(b, backend, numbersOf(b, maxBatchesEnv, "8,64,256"), best)
		})
	}
}

// numbersOf are those of an environment variable, comma-separated.
func numbersOf(b *testing.B, variable, byDefault string) (numbers []int) {
	b.Helper()
	for word := range strings.SplitSeq(cmp.Or(os.Getenv(variable), byDefault), ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > maxBatchSize {
			b.Fatalf("%s: %q is not a number from 1 to %d", variable, word, maxBatchSize)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func benchWorkers(b *testing.B) []int { return numbersOf(b, workersEnv, "1,2") }

// benchmarkBare runs the session alone, with the tensors of one batch size, and returns images a second.
func benchmarkBare(b *testing.B, backend *onnxBackend, runs, batch int) (rate float64) {
	b.Helper()
	at := slices.Index(backend.networks.sizes.all, batch)
	if at < 0 {
		b.Fatalf("the network is not run with batches of %d, but of %v", batch, backend.networks.sizes.all)
	}
	b.Run(fmt.Sprintf("bare/runs=%d/batch=%d", runs, batch), func(b *testing.B) {
		var left atomic.Int64
		left.Store(int64(b.N))
		var all sync.WaitGroup
		for range runs {
			l := <-backend.lanes
			all.Go(func() {
				defer func() { backend.lanes <- l }()
				for left.Add(-1) >= 0 {
					if err := backend.networks.run(context.Background(), l, at); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		rate = float64(b.N*batch) / b.Elapsed().Seconds()
		b.ReportMetric(rate, "images/s")
	})
	return rate
}

// benchmarkBatchers measures a batcher of one and of two workers for each max_batch; best is the bare
// runtime's highest rate.
func benchmarkBatchers(b *testing.B, backend Backend, batches []int, best float64) {
	b.Helper()
	for _, workers := range benchWorkers(b) {
		for _, batch := range batches {
			for load := 2; load <= workers+1; load++ { // crops in flight, in batches
				benchmarkBatcher(b, fmt.Sprintf("busy/workers=%d/max_batch=%d/sessions=%d", workers, batch, load*batch), backend,
					workers, batch, load*batch, 0)
			}
			benchmarkBatcher(b, fmt.Sprintf("steady/workers=%d/max_batch=%d/offered=%.0f", workers, batch, rateShare*best), backend,
				workers, batch, 1024, rateShare*best)
		}
	}
}

// benchmarkBatcher lets crops come at a rate, or as fast as they are scored where it is 0.
func benchmarkBatcher(b *testing.B, name string, backend Backend, workers, batch, sessions int, rate float64) {
	b.Helper()
	d := newDriver(sessions)
	b.Run(name, func(b *testing.B) {
		batcher, _ := startBatcher(b, benchConfig(batch), timed{backend, d, workers})
		b.ResetTimer()
		if rate > 0 {
			d.offer(b, batcher, b.N, rate)
		} else {
			d.saturate(b, batcher, b.N)
		}
	})
}

// fakeGPU takes as long as a GPU that scores 10 000 crops a second in batches of 256, one batch at a time,
// each padded to a size of CUDA. The crops are copied before, as into a tensor.
type fakeGPU struct {
	computing sync.Mutex
	tensors   chan []byte
	sizes     sizes
}

const (
	fakeLaunch  = 500 * time.Microsecond
	fakeCrop    = 98 * time.Microsecond
	fakeMaximum = 256 / (256*float64(fakeCrop) + float64(fakeLaunch)) * float64(time.Second)
)

func newFakeGPU(workers int) *fakeGPU {
	f := &fakeGPU{tensors: make(chan []byte, workers), sizes: sizesFor(onnx.ProviderCUDA, maxBatchSize)}
	for range workers {
		f.tensors <- make([]byte, maxBatchSize*cropBytes)
	}
	return f
}

func (f *fakeGPU) Score(_ context.Context, crops []*Crop, _ []float32) error {
	tensor := <-f.tensors
	defer func() { f.tensors <- tensor }()
	for i, crop := range crops {
		crop.CopyTo(tensor[i*cropBytes:])
	}
	f.computing.Lock()
	defer f.computing.Unlock()
	size := f.sizes.all[f.sizes.holding(len(crops))]
	time.Sleep(fakeLaunch + time.Duration(size)*fakeCrop)
	return nil
}

func (f *fakeGPU) Info() liveproof.ModelInfo { return liveproof.ModelInfo{Name: "fake", Threshold: .5} }

func (f *fakeGPU) Fill(n int) int { return f.sizes.fill(n) }

func (f *fakeGPU) Workers() int { return cap(f.tensors) }

func (f *fakeGPU) Close() error { return nil }

// BenchmarkBatcherOnFakeGPU shows whether the batcher keeps a fast backend busy, on any machine.
func BenchmarkBatcherOnFakeGPU(b *testing.B) {
	b.Logf("the fake GPU scores at most %.0f images/s", fakeMaximum)
	benchmarkBatchers(b, newFakeGPU(slices.Max(benchWorkers(b))), numbersOf(b, maxBatchesEnv, "8,64,256"), fakeMaximum)
}
