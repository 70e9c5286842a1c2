package scorer

import (
	"context"
	"encoding/binary"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/scorer/oip"
)

// inferenceServer answers as a server that runs tiny.onnx: ρ is the crop's mean brightness.
type inferenceServer struct {
	oip.UnimplementedGRPCInferenceServiceServer
	address string
	server  *grpc.Server
	calls   atomic.Int64
	delay   atomic.Int64 // ns
	about   func(*oip.ModelMetadataResponse)
	spoil   func(*oip.ModelInferResponse)
}

func (s *inferenceServer) ModelReady(context.Context, *oip.ModelReadyRequest) (*oip.ModelReadyResponse, error) {
	return &oip.ModelReadyResponse{Ready: true}, nil
}

func (s *inferenceServer) ModelMetadata(_ context.Context, r *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	about := &oip.ModelMetadataResponse{
		Name: r.Name, Versions: []string{"3"}, Platform: "onnxruntime_onnx",
		Inputs:  []*oip.ModelMetadataResponse_TensorMetadata{{Name: "faces", Datatype: "UINT8", Shape: []int64{-1, 224, 224, 3}}},
		Outputs: []*oip.ModelMetadataResponse_TensorMetadata{{Name: "probabilities", Datatype: "FP32", Shape: []int64{-1, 11}}, {Name: "rho", Datatype: "FP32", Shape: []int64{-1}}},
	}
	if s.about != nil {
		s.about(about)
	}
	return about, nil
}

func (s *inferenceServer) ModelInfer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	s.calls.Add(1)
	select {
	case <-time.After(time.Duration(s.delay.Load())):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n := int(r.Inputs[0].Shape[0])
	raw := make([]byte, 4*n)
	for i := range n {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(meanOf(r.RawInputContents[0][i*cropBytes:][:cropBytes])))
	}
	answer := &oip.ModelInferResponse{
		ModelName: r.ModelName, ModelVersion: "3", RawOutputContents: [][]byte{raw},
		Outputs: []*oip.ModelInferResponse_InferOutputTensor{{Name: "rho", Datatype: "FP32", Shape: []int64{int64(n)}}},
	}
	if s.spoil != nil {
		s.spoil(answer)
	}
	return answer, nil
}

func meanOf(pixels []byte) float32 {
	sum := 0
	for _, p := range pixels {
		sum += int(p)
	}
	return float32(float64(sum) / float64(len(pixels)) / 255)
}

func (s *inferenceServer) start(t *testing.T) *inferenceServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address, s.server = l.Addr().String(), grpc.NewServer(grpc.MaxRecvMsgSize(1<<27))
	oip.RegisterGRPCInferenceServiceServer(s.server, s)
	served := make(chan struct{})
	go func() { defer close(served); _ = s.server.Serve(l) }()
	t.Cleanup(func() { s.server.Stop(); <-served })
	return s
}

var schemes atomic.Int64

// targetOf is one target with the addresses of all servers, as a headless service has them.
func targetOf(servers ...*inferenceServer) string {
	builder := manual.NewBuilderWithScheme("replicas" + string(rune('a'+schemes.Add(1))))
	var state resolver.State
	for _, s := range servers {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: s.address})
	}
	builder.InitialState(state)
	resolver.Register(builder)
	return builder.Scheme() + ":///scorer"
}

func kserveConfig(target string) Config {
	cfg := DefaultConfig()
	cfg.Backend, cfg.KServe.Target, cfg.KServe.Hedge = BackendKServe, target, 0
	return cfg
}

func openKServe(t *testing.T, cfg Config) (Backend, error) {
	return Open(t.Context(), openRuntime(t), readModel(t, "tiny.onnx"), cfg, quiet)
}

func TestKServeScoresEveryBatchSize(t *testing.T) {
	b, err := openKServe(t, kserveConfig((&inferenceServer{}).start(t).address))
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	info := b.Info()
	require.Equal(t, "tiny-mean-brightness-fp32", info.Name)
	require.Equal(t, "kserve onnxruntime_onnx", info.Provider)
	require.Len(t, info.SHA256, 64)
	for n := 8; n >= 1; n-- {
		crops, rho := make([]*Crop, n), make([]float32, n)
		for i := range crops {
			crops[i] = lend(t, plain(uint8(20*n+i)))
		}
		require.NoError(t, b.Score(t.Context(), crops, rho))
		for i, got := range rho {
			require.InDelta(t, float64(20*n+i)/255, got, 1e-4)
		}
	}
	require.Error(t, b.Score(t.Context(), make([]*Crop, 9), make([]float32, 9)))
}

// TestKServeRefusesOtherModels: at start, with a word that says what differs.
func TestKServeRefusesOtherModels(t *testing.T) {
	for name, c := range map[string]struct {
		server *inferenceServer
		cfg    func(*Config)
		is     error
		want   string
	}{
		"another model":      {&inferenceServer{spoil: func(a *oip.ModelInferResponse) { clear(a.RawOutputContents[0]) }}, nil, ErrContract, "ρ of trial picture 1"},
		"another input":      {&inferenceServer{about: func(a *oip.ModelMetadataResponse) { a.Inputs[0].Shape[1] = 112 }}, nil, ErrContract, "expected UINT8[-1 224 224 3], found UINT8[-1 112 224 3]"},
		"no input":           {&inferenceServer{about: func(a *oip.ModelMetadataResponse) { a.Inputs = nil }}, nil, ErrContract, "none of that name"},
		"no output":          {&inferenceServer{about: func(a *oip.ModelMetadataResponse) { a.Outputs = a.Outputs[:1] }}, nil, ErrContract, "output rho"},
		"several versions":   {&inferenceServer{about: func(a *oip.ModelMetadataResponse) { a.Versions = []string{"3", "10"} }}, nil, nil, "scorer.kserve.version must name one"},
		"another version":    {&inferenceServer{}, func(c *Config) { c.KServe.Version = "4" }, nil, `version "3"`},
		"nobody there":       {&inferenceServer{}, func(c *Config) { c.KServe.Target = "127.0.0.1:1" }, liveproof.ErrUnavailable, "is it running"},
		"no target":          {&inferenceServer{}, func(c *Config) { c.KServe.Target = "" }, nil, "kserve.target"},
		"an unread CA":       {&inferenceServer{}, func(c *Config) { c.KServe.TLS, c.KServe.CA = true, "/nowhere.pem" }, nil, "scorer.kserve.ca"},
		"a CA without TLS":   {&inferenceServer{}, func(c *Config) { c.KServe.CA = "/nowhere.pem" }, nil, "kserve.tls"},
		"an unknown backend": {&inferenceServer{}, func(c *Config) { c.Backend = "cloud" }, nil, "neither local nor kserve"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := kserveConfig(c.server.start(t).address)
			if c.cfg != nil {
				c.cfg(&cfg)
			}
			_, err := openKServe(t, cfg)
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
}

// TestKServePinsTheVersionThatAnswers: a server that lists no versions cannot change the model of running sessions either.
func TestKServePinsTheVersionThatAnswers(t *testing.T) {
	var changed atomic.Bool
	server := (&inferenceServer{
		about: func(a *oip.ModelMetadataResponse) { a.Versions = nil },
		spoil: func(a *oip.ModelInferResponse) {
			if changed.Load() {
				a.ModelVersion = "4"
			}
		},
	}).start(t)
	b, err := openKServe(t, kserveConfig(server.address))
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	rho := make([]float32, 1)
	require.NoError(t, b.Score(t.Context(), []*Crop{lend(t, plain(1))}, rho))
	changed.Store(true)
	require.ErrorContains(t, b.Score(t.Context(), []*Crop{lend(t, plain(1))}, rho), `version "4"`)
}

// TestKServeBelievesNoOtherAnswer: an answer that is not one score for each crop of the model that was asked fails the batch.
func TestKServeBelievesNoOtherAnswer(t *testing.T) {
	for name, spoil := range map[string]func(*oip.ModelInferResponse){
		"another model":       func(a *oip.ModelInferResponse) { a.ModelName = "other" },
		"another version":     func(a *oip.ModelInferResponse) { a.ModelVersion = "4" },
		"no output":           func(a *oip.ModelInferResponse) { a.Outputs = nil },
		"another type":        func(a *oip.ModelInferResponse) { a.Outputs[0].Datatype = "FP64" },
		"another shape":       func(a *oip.ModelInferResponse) { a.Outputs[0].Shape = []int64{2, 1} },
		"too few":             func(a *oip.ModelInferResponse) { a.RawOutputContents[0] = a.RawOutputContents[0][:4] },
		"half a value":        func(a *oip.ModelInferResponse) { a.RawOutputContents[0] = a.RawOutputContents[0][:5] },
		"no values":           func(a *oip.ModelInferResponse) { a.RawOutputContents = nil },
		"two values for each": func(a *oip.ModelInferResponse) { a.Outputs[0].Shape = []int64{3, 2} },
	} {
		t.Run(name, func(t *testing.T) {
			var bad atomic.Bool
			server := (&inferenceServer{spoil: func(a *oip.ModelInferResponse) {
				if bad.Load() {
					spoil(a)
				}
			}}).start(t)
			b, err := openKServe(t, kserveConfig(server.address))
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			bad.Store(true)
			rho := make([]float32, 3)
			require.Error(t, b.Score(t.Context(), []*Crop{lend(t, plain(1)), lend(t, plain(2)), lend(t, plain(3))}, rho))
			require.Equal(t, make([]float32, 3), rho)
		})
	}
}

// TestKServeOutlivesAReplica: one of two servers dies under load. Every crop gets its own score, once; none gets another's.
func TestKServeOutlivesAReplica(t *testing.T) {
	servers := []*inferenceServer{(&inferenceServer{}).start(t), (&inferenceServer{}).start(t)}
	for _, s := range servers {
		s.delay.Store(int64(time.Millisecond))
	}
	cfg := kserveConfig(targetOf(servers...))
	cfg.KServe.Hedge = 50 * time.Millisecond
	backend, err := openKServe(t, cfg)
	require.NoError(t, err)
	batcher, _ := startBatcher(t, cfg, backend)
	var scored, failed atomic.Int64
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range 100 {
				if caller == 0 && i == 20 {
					servers[0].server.Stop()
				}
				value := uint8(caller*31 + i%29)
				rho, err := scoreOnce(t.Context(), batcher, liveproof.SessionID(rune('A'+caller)), plain(value))
				if err != nil {
					failed.Add(1)
					continue
				}
				scored.Add(1)
				if math.Abs(rho-float64(value)/255) > 1e-3 {
					t.Errorf("crop of brightness %d: ρ = %v", value, rho)
				}
			}
		})
	}
	callers.Wait()
	t.Logf("%d scored, %d failed; batches of the servers: %d and %d", scored.Load(), failed.Load(), servers[0].calls.Load(), servers[1].calls.Load())
	require.Positive(t, servers[0].calls.Load())
	require.LessOrEqual(t, failed.Load(), int64(8), "a batch in flight is tried again")
	require.NoError(t, batcher.Ready())
}

// TestKServeHedges: a server that hangs delays nobody for longer than the hedge.
func TestKServeHedges(t *testing.T) {
	slow, quick := (&inferenceServer{}).start(t), (&inferenceServer{}).start(t)
	cfg := kserveConfig(targetOf(slow, quick))
	cfg.KServe.Hedge = 20 * time.Millisecond
	b, err := openKServe(t, cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	slow.delay.Store(int64(time.Hour))
	for i := range uint8(20) {
		rho := make([]float32, 1)
		require.NoError(t, b.Score(t.Context(), []*Crop{lend(t, plain(i))}, rho))
		require.InDelta(t, float64(i)/255, rho[0], 1e-4)
	}
}
