package scorer

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

func loadFile(t testing.TB, path string, cfg Config) (*onnx.Runtime, Backend) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the model is missing: %v", err)
	}
	rt := openRuntime(t)
	backend, err := Load(context.Background(), rt, Model{Name: filepath.Base(path), Data: data}, cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return rt, backend
}

// noise is a crop whose pixels are not all alike.
func noise() *liveproof.Image {
	random := rand.New(rand.NewPCG(3, 4))
	crop := liveproof.NewImage(InputSize, InputSize)
	for i := range crop.Pix {
		crop.Pix[i] = byte(random.Uint32())
	}
	return crop
}

// benchmarked are all models of models/, fp32 too where an export left it, or of the directory
// LIVEPROOF_BENCH_MODELS.
func benchmarked(b testing.TB) []string {
	b.Helper()
	paths, err := filepath.Glob(filepath.Join(cmp.Or(os.Getenv("LIVEPROOF_BENCH_MODELS"), modelsDir), "*.onnx"))
	if err != nil || len(paths) == 0 {
		b.Skipf("no models: %v", err)
	}
	return paths
}

// One run of the network; ns/crop is what a sample costs.
func BenchmarkScore(b *testing.B) {
	for _, path := range benchmarked(b) {
		for _, threads := range []int{1, 2} {
			for _, batch := range []int{1, 4, 8} {
				name := strings.TrimSuffix(filepath.Base(path), ".onnx")
				b.Run(fmt.Sprintf("%s/threads=%d/batch=%d", name, threads, batch), func(b *testing.B) {
					benchmarkBackend(b, path, threads, batch)
				})
			}
		}
	}
}

func benchmarkBackend(b *testing.B, path string, threads, batch int) {
	cfg := DefaultConfig()
	cfg.IntraOpThreads = threads
	_, backend := loadFile(b, path, cfg)
	defer func() { _ = backend.Close() }()
	crops, rho := make([]*Crop, batch), make([]float32, batch)
	for i := range crops {
		crops[i] = lend(b, noise())
	}
	b.ReportAllocs()
	cpu := cpuTime(b)
	for b.Loop() {
		if err := backend.Score(context.Background(), crops, rho); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/crop")
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N*batch), "cpu-ns/crop")
}

// cpuTime is what the process has used of all cores, which a loaded machine disturbs
// less than the clock.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// The whole path with as many sessions as crops are in flight, workers × threads
// sharing the same cores.
func BenchmarkThroughput(b *testing.B) {
	for _, path := range benchmarked(b) {
		for _, shape := range [][2]int{{1, 1}, {1, 2}, {2, 1}} {
			for _, sessions := range []int{1, 4, 8} {
				b.Run(fmt.Sprintf("%s/workers=%d/threads=%d/sessions=%d", strings.TrimSuffix(filepath.Base(path), ".onnx"), shape[0], shape[1], sessions), func(b *testing.B) {
					cfg := DefaultConfig()
					cfg.Workers, cfg.IntraOpThreads = shape[0], shape[1]
					_, backend := loadFile(b, path, cfg)
					batcher, _ := startBatcher(b, cfg, backend)
					scoreInParallel(b, batcher, sessions)
				})
			}
		}
	}
}

// BenchmarkBatcherOverhead measures what a crop costs besides the network: queueing,
// waking, answering, and every copy up to the input tensor, here the backend's buffer.
func BenchmarkBatcherOverhead(b *testing.B) {
	for _, sessions := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			tensor := make([]byte, DefaultConfig().MaxBatch*cropBytes)
			backend := &fakeBackend{run: func(_ context.Context, crops []*Crop, _ []float32) error {
				for i, crop := range crops {
					crop.CopyTo(tensor[i*cropBytes:])
				}
				return nil
			}}
			batcher, _ := startBatcher(b, DefaultConfig(), backend)
			scoreInParallel(b, batcher, sessions)
		})
	}
}

// scoreInParallel lets each session score one crop after the other.
func scoreInParallel(b *testing.B, batcher *Batcher, sessions int) {
	crop := noise()
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime(b)
	var all sync.WaitGroup
	for s := range sessions {
		n := b.N/sessions + min(1, max(0, b.N%sessions-s))
		all.Go(func() {
			for range n {
				if _, err := scoreOnce(context.Background(), batcher, liveproof.SessionID(fmt.Sprint(s)), crop); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
