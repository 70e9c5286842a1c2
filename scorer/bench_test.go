package scorer

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// loadCommitted loads the demo model of that precision, or the one that the
// directory LIVEPROOF_BENCH_MODELS holds under the same name.
func loadCommitted(t testing.TB, precision string, cfg Config) (*onnx.Runtime, Backend) {
	t.Helper()
	dir := cmp.Or(os.Getenv("LIVEPROOF_BENCH_MODELS"), modelsDir)
	path := filepath.Join(dir, "liveproof-demo-resnet18-"+precision+".onnx")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the model is missing: %v", err)
	}
	rt := openRuntime(t)
	backend, err := Load(context.Background(), rt, Model{Name: filepath.Base(path), Data: data}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rt, backend
}

// noise is a crop whose pixels are not all alike.
func noise() []byte {
	random := rand.New(rand.NewPCG(3, 4))
	crop := make([]byte, cropBytes)
	for i := range crop {
		crop[i] = byte(random.Uint32())
	}
	return crop
}

// One run of the network; ns/crop is what a sample costs.
func BenchmarkScore(b *testing.B) {
	for _, precision := range []string{"int8", "fp16", "fp32"} {
		for _, threads := range []int{1, 2} {
			for _, batch := range []int{1, 4, 8} {
				b.Run(fmt.Sprintf("%s/threads=%d/batch=%d", precision, threads, batch), func(b *testing.B) {
					benchmarkBackend(b, precision, threads, batch)
				})
			}
		}
	}
}

func benchmarkBackend(b *testing.B, precision string, threads, batch int) {
	cfg := DefaultConfig()
	cfg.IntraOpThreads = threads
	_, backend := loadCommitted(b, precision, cfg)
	defer func() { _ = backend.Close() }()
	crops, rho := make([][]byte, batch), make([]float32, batch)
	for i := range crops {
		crops[i] = noise()
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
	for _, precision := range []string{"int8", "fp16"} {
		for _, shape := range [][2]int{{1, 1}, {1, 2}, {2, 1}} {
			for _, sessions := range []int{1, 4, 8} {
				b.Run(fmt.Sprintf("%s/workers=%d/threads=%d/sessions=%d", precision, shape[0], shape[1], sessions), func(b *testing.B) {
					cfg := DefaultConfig()
					cfg.Workers, cfg.IntraOpThreads = shape[0], shape[1]
					_, backend := loadCommitted(b, precision, cfg)
					batcher, _ := startBatcher(b, cfg, backend)
					scoreInParallel(b, batcher, sessions)
				})
			}
		}
	}
}

// What the batcher itself costs: queueing, copying 147 KiB, waking, answering.
func BenchmarkBatcherOverhead(b *testing.B) {
	for _, sessions := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			backend := &fakeBackend{run: func(context.Context, [][]byte, []float32) error { return nil }}
			batcher, _ := startBatcher(b, DefaultConfig(), backend)
			scoreInParallel(b, batcher, sessions)
		})
	}
}

// scoreInParallel lets each session score one crop after the other.
func scoreInParallel(b *testing.B, batcher *Batcher, sessions int) {
	crop := &liveproof.Image{Width: InputSize, Height: InputSize, Stride: 3 * InputSize, Pix: noise()}
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
