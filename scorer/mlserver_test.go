package scorer

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/cpu"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/mlservertest"
	"github.com/liveproof/liveproof/onnx"
)

// The tests of this file run against MLServer (make test-kserve): a server of the Open Inference Protocol that nobody here wrote.

const (
	servedModel  = "liveproof-demo-mobilenetv2-int8"
	anotherModel = "liveproof-demo-resnet18-int8"
)

func startMLServer(t *testing.T, model string) *mlservertest.Server {
	t.Helper()
	return mlservertest.Start(t, "testdata/mlserver/runtime.py", filepath.Join(modelsDir, model+".onnx"))
}

func committed(t *testing.T, name string) Model {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(modelsDir, name+".onnx"))
	require.NoError(t, err)
	return Model{Name: name, Data: data}
}

// openMLServer opens the backend for the committed file of that name.
func openMLServer(t *testing.T, cfg Config, name string) (Backend, error) {
	t.Helper()
	return Open(t.Context(), openRuntime(t), committed(t, name), cfg, quiet)
}

// goldenCrops are the golden crops and, for each, what the model's file gives here.
func goldenCrops(t *testing.T) (crops []*liveproof.Image, rho []float64) {
	t.Helper()
	backend := loadOn(t, execution{Provider: onnx.ProviderCPU, Precision: onnx.PrecisionFP32}, committedModel{name: servedModel})
	for _, c := range readGolden(t) {
		crop := readCrop(t, filepath.Join(modelsDir, "golden", c.Image))
		one := make([]float32, 1)
		require.NoError(t, backend.Score(t.Context(), []*Crop{lend(t, crop)}, one))
		crops, rho = append(crops, crop), append(rho, float64(one[0]))
	}
	return crops, rho
}

// TestMLServerScoresAsTheFile: one crop at a time and in batches of every size.
func TestMLServerScoresAsTheFile(t *testing.T) {
	server := startMLServer(t, servedModel)
	b, err := openMLServer(t, kserveConfig(server.Address), servedModel)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	require.Equal(t, "kserve", b.Info().Provider, "MLServer names no platform")
	require.Equal(t, "1", b.(*kserveBackend).version, "MLServer lists no version, but its answers name one")
	crops, want := goldenCrops(t)
	limit, worst := rhoLimit("int8", onnx.PrecisionFP32), 0.0
	for size := 1; size <= DefaultConfig().MaxBatch; size++ {
		for from := 0; from+size <= len(crops); from += size {
			rho, batch := make([]float32, size), make([]*Crop, size)
			for i := range batch {
				batch[i] = lend(t, crops[from+i])
			}
			require.NoError(t, b.Score(t.Context(), batch, rho))
			for i, got := range rho {
				worst = max(worst, math.Abs(float64(got)-want[from+i]))
			}
		}
	}
	t.Logf("%d crops in batches of 1 to %d: largest |Δρ| %.2g of %g", len(crops), DefaultConfig().MaxBatch, worst, limit)
	require.LessOrEqual(t, worst, limit)
}

// TestMLServerRunsAnotherModel: the service does not start, and says what differs.
func TestMLServerRunsAnotherModel(t *testing.T) {
	server := startMLServer(t, anotherModel)
	_, err := openMLServer(t, kserveConfig(server.Address), servedModel)
	require.ErrorIs(t, err, ErrContract)
	require.ErrorContains(t, err, "ρ of trial picture")
	cfg := kserveConfig(server.Address)
	cfg.KServe.Version = "2"
	_, err = openMLServer(t, cfg, anotherModel)
	require.Error(t, err, "the server has version 1 only")
}

// TestMLServerSaturates: on a CPU without VNNI a server whose 8-bit sums saturate is refused. Elsewhere sums are exact in any case.
func TestMLServerSaturates(t *testing.T) {
	t.Setenv("SATURATE", "1")
	server := startMLServer(t, servedModel)
	b, err := openMLServer(t, kserveConfig(server.Address), servedModel)
	if cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI || !cpu.X86.HasAVX2 {
		require.NoError(t, err)
		require.NoError(t, b.Close())
		return
	}
	require.ErrorIs(t, err, ErrContract)
}

// replicasOf is one target with the addresses of all servers, as a headless service has them.
func replicasOf(servers ...*mlservertest.Server) string {
	builder := manual.NewBuilderWithScheme("mlserver" + string(rune('a'+schemes.Add(1))))
	var state resolver.State
	for _, s := range servers {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: s.Address})
	}
	builder.InitialState(state)
	resolver.Register(builder)
	return builder.Scheme() + ":///scorer"
}

// ledger counts what the callers of a load saw.
type ledger struct {
	calls, scored, failed, wrong atomic.Int64
	mu                           sync.Mutex
	took                         []time.Duration
}

func (l *ledger) add(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took)
}

// quantile of the times of the scored crops.
func (l *ledger) quantile(q float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.took)
	return l.took[int(q*float64(len(l.took)-1))]
}

// TestMLServerLosesAReplica: one of two servers is killed under load, later the other one. Every crop gets its own score once, or an error; when
// nobody is left, every crop gets an error.
func TestMLServerLosesAReplica(t *testing.T) {
	servers := []*mlservertest.Server{startMLServer(t, servedModel), startMLServer(t, servedModel)}
	crops, want := goldenCrops(t)
	cfg := kserveConfig(replicasOf(servers...))
	cfg.KServe.Hedge = DefaultConfig().KServe.Hedge
	backend, err := openMLServer(t, cfg, servedModel)
	require.NoError(t, err)
	batcher, reg := startBatcher(t, cfg, backend)
	const callers, rounds, killedAt = 4, 60, 20
	var l ledger
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for round := range rounds {
				if caller == 0 && round == killedAt {
					servers[0].Kill()
				}
				at, begun := (caller*7+round)%len(crops), time.Now()
				l.calls.Add(1)
				rho, err := scoreOnce(t.Context(), batcher, liveproof.SessionID(rune('A'+caller)), crops[at])
				switch {
				case err != nil:
					l.failed.Add(1)
				case math.Abs(rho-want[at]) > rhoLimit("int8", onnx.PrecisionFP32):
					l.wrong.Add(1)
				default:
					l.scored.Add(1)
					l.add(time.Since(begun))
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d crops: %d scored, %d failed, %d with another's score; median %v, p99 %v, longest %v",
		l.calls.Load(), l.scored.Load(), l.failed.Load(), l.wrong.Load(), l.quantile(.5), l.quantile(.99), l.quantile(1))
	require.Zero(t, l.wrong.Load())
	require.LessOrEqual(t, l.failed.Load(), int64(2*callers), "a batch in flight is tried again")
	require.Equal(t, float64(l.scored.Load()), value(t, reg, "samples_total", resultScored), "no crop is scored twice")
	require.NoError(t, batcher.Ready())

	servers[1].Kill()
	for i, crop := range crops[:4] {
		_, err := scoreOnce(t.Context(), batcher, "Z", crop)
		require.Error(t, err, "crop %d", i)
	}
	require.Equal(t, float64(l.scored.Load()), value(t, reg, "samples_total", resultScored), "without a server nothing is scored")
	require.Error(t, batcher.Ready())
}
