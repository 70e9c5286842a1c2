package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/publish"
	"github.com/liveproof/liveproof/scorer/oip"
)

// brightness is an inference server that runs scorer/testdata/tiny.onnx: ρ is the crop's mean brightness. Every so many answers it fails in one of the
// ways in which such servers fail.
type brightness struct {
	oip.UnimplementedGRPCInferenceServiceServer
	address string
	faulty  atomic.Bool
	calls   atomic.Int64
	failed  atomic.Int64
}

func (*brightness) ModelReady(context.Context, *oip.ModelReadyRequest) (*oip.ModelReadyResponse, error) {
	return &oip.ModelReadyResponse{Ready: true}, nil
}

func (*brightness) ModelMetadata(_ context.Context, r *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	return &oip.ModelMetadataResponse{
		Name: r.Name, Versions: []string{"1"}, Platform: "onnxruntime_onnx",
		Inputs:  []*oip.ModelMetadataResponse_TensorMetadata{{Name: "faces", Datatype: "UINT8", Shape: []int64{-1, 224, 224, 3}}},
		Outputs: []*oip.ModelMetadataResponse_TensorMetadata{{Name: "rho", Datatype: "FP32", Shape: []int64{-1}}},
	}, nil
}

func (b *brightness) ModelInfer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	n, raw := int(r.Inputs[0].Shape[0]), []byte(nil)
	each := len(r.RawInputContents[0]) / n
	for i := range n {
		sum := 0
		for _, p := range r.RawInputContents[0][i*each:][:each] {
			sum += int(p)
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(sum)/float32(each)/255))
	}
	answer := &oip.ModelInferResponse{
		ModelName: r.ModelName, ModelVersion: "1", RawOutputContents: [][]byte{raw},
		Outputs: []*oip.ModelInferResponse_InferOutputTensor{{Name: "rho", Datatype: "FP32", Shape: []int64{int64(n)}}},
	}
	if call := b.calls.Add(1); b.faulty.Load() && call%4 == 0 {
		return b.fail(ctx, answer, int(call/4))
	}
	return answer, nil
}

// fail gives an error, no answer, a score that is none, or a score that was not asked for.
func (b *brightness) fail(ctx context.Context, answer *oip.ModelInferResponse, way int) (*oip.ModelInferResponse, error) {
	b.failed.Add(1)
	switch way % 4 {
	case 0:
		return nil, status.Error(codes.Unavailable, "restarting")
	case 1:
		<-ctx.Done()
		return nil, ctx.Err()
	case 2:
		binary.LittleEndian.PutUint32(answer.RawOutputContents[0], math.Float32bits(float32(math.NaN())))
	case 3:
		answer.RawOutputContents[0] = append(answer.RawOutputContents[0], 0, 0, 0x80, 0x3f) // 1 for nobody
	}
	return answer, nil
}

func startBrightness(t *testing.T) *brightness {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &brightness{address: listener.Addr().String()}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(1 << 27))
	oip.RegisterGRPCInferenceServiceServer(server, b)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Stop(); serving.Wait() })
	return b
}

// chaosSessions is how many sessions the test runs; TEST_CHAOS has another number (make test-chaos).
const chaosSessions = 24

// TestChaos: short sessions run through two nodes, a Redis Cluster and an inference server, with 20 % of the packets lost, while nodes are killed, Redis fails
// over, scores fail, and clients vanish or come to the wrong node. The ledger of what clients saw agrees with the store: no session is lost, none ended
// twice, none without a face is live. TEST_CHAOS_LEDGER names a file for the ledger's sums.
func TestChaos(t *testing.T) {
	t.Parallel()
	person, none := person(t, "person_A_640x480.mjpeg", "8"), nobody(t, "8")
	count := chaosSessions
	if text := os.Getenv("TEST_CHAOS"); text != "" {
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	shards, scorer := redistest.StartShards(t), startBrightness(t)
	environ := chaosEnvironment(scorer)
	nodes := &fleet{t: t, redis: shards.URL(), environ: environ, scorer: scorer}
	nodes.start()
	scorer.faulty.Store(true)
	var done atomic.Int64
	chaos := publish.Chaos{
		Options: publish.Options{
			Client: publish.Client{APIKey: strings.TrimPrefix(processKey, "bank-a:")}, Mode: liveproof.ModeOnboarding, Sessions: 6,
			Stagger: 50 * time.Millisecond, Network: &publish.Network{Loss: 0.2, Seed: 1},
		},
		Servers: nodes.urls(), Count: count, Leave: 0.25, Astray: 0.5, Settle: 2 * time.Minute,
		Clip: func(i int) (*publish.Clip, bool) {
			if i%3 == 0 {
				return none, true
			}
			return person, false
		},
		Note: func(int, publish.Entry) { done.Add(1) },
	}
	over := make(chan struct{})
	var failing sync.WaitGroup
	failing.Go(func() { nodes.fail(shards, &done, count, over) })
	begun := time.Now()
	entries, err := chaos.Run(t.Context())
	took := time.Since(begun)
	close(over)
	failing.Wait()
	require.NoError(t, err)
	sums := publish.SumUp(entries)
	ledger, err := json.MarshalIndent(sums, "", "  ")
	require.NoError(t, err)
	t.Logf("%d sessions in %v; %d nodes killed, %d failovers of Redis, %d of %d scorings failed\n%s",
		count, took.Round(time.Second), nodes.killed, nodes.failovers, scorer.failed.Load(), scorer.calls.Load(), ledger)
	if file := os.Getenv("TEST_CHAOS_LEDGER"); file != "" {
		require.NoError(t, os.WriteFile(file, ledger, 0o600))
	}
	require.Empty(t, sums.Faulty)
	require.Positive(t, nodes.killed)
	require.Positive(t, nodes.failovers)
	require.Positive(t, scorer.failed.Load())
	requireOneEnd(t, shards, entries)
}

func chaosEnvironment(scorer *brightness) []string {
	return []string{
		"LIVEPROOF_SCORER_MODEL=../../scorer/testdata/tiny.onnx", "LIVEPROOF_SCORER_BACKEND=kserve", "LIVEPROOF_SCORER_KSERVE_TARGET=" + scorer.address,
		"LIVEPROOF_STORE_REPLICAS=1", "LIVEPROOF_INGEST_RATE_PER_IP={per_second: 100000, burst: 100000}",
		"LIVEPROOF_INGEST_RATE_PER_TENANT={per_second: 100000, burst: 100000}", "LIVEPROOF_VERDICT_REQUIRE=[passive]",
		"LIVEPROOF_SESSION_DEADLINE=6s", "LIVEPROOF_SESSION_TOKEN_TTL=15s", "LIVEPROOF_SESSION_DISCONNECT_GRACE=1s", "LIVEPROOF_SESSION_IDLE_TIMEOUT=3s",
	}
}

// fleet are two nodes, of which one at a time is killed and started again at its address.
type fleet struct {
	t                 *testing.T
	redis             string
	environ           []string
	scorer            *brightness
	nodes             []*process
	killed, failovers int
}

func (f *fleet) start() {
	for range 2 {
		f.nodes = append(f.nodes, startNode(f.t, f.redis, f.environ...))
	}
}

func (f *fleet) urls() (urls []string) {
	for _, n := range f.nodes {
		urls = append(urls, n.url)
	}
	return urls
}

// fail kills nodes and Redis servers in turn, each time when a further part of the sessions is over.
func (f *fleet) fail(shards *redistest.Cluster, done *atomic.Int64, count int, over <-chan struct{}) {
	step := int64(max(8, min(count/5, 60)))
	for next := step; ; next += step {
		for done.Load() < next {
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		if next/step%2 == 1 {
			shards.Kill()
			f.failovers++
			shards.Revive()
			continue
		}
		which := f.killed % len(f.nodes)
		f.nodes[which].kill()
		f.killed++
		f.scorer.faulty.Store(false) // a node does not start with scores that are wrong
		f.nodes[which] = restartNode(f.t, f.nodes[which], f.redis, f.environ...)
		f.scorer.faulty.Store(true)
	}
}

// restartNode starts a node again at the address of one that was killed.
func restartNode(t *testing.T, killed *process, redis string, environ ...string) *process {
	t.Helper()
	return startProcess(t, redis, append(nodeEnvironment(strings.TrimPrefix(killed.url, "http://")), environ...)...)
}

// requireOneEnd: the streams of events have one end of every session, under one number.
func requireOneEnd(t *testing.T, shards *redistest.Cluster, entries []publish.Entry) {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: strings.Split(strings.TrimPrefix(shards.URL(), "redis-cluster://"), ",")})
	defer client.Close()
	ends := map[string]map[string]bool{}
	for n := range 16 {
		stream := "liveproof:events"
		if n > 0 {
			stream = "liveproof:{events:" + strconv.Itoa(n) + "}"
		}
		events, err := client.XRange(t.Context(), stream, "-", "+").Result()
		require.NoError(t, err)
		for _, e := range events {
			event, _ := e.Values["event"].(string)
			id, _ := e.Values["session"].(string)
			if !liveproof.State(event).Terminal() {
				continue
			}
			if ends[id] == nil {
				ends[id] = map[string]bool{}
			}
			number, _ := e.Values["number"].(string)
			ends[id][event+"#"+number] = true
		}
	}
	for _, e := range entries {
		if e.Session != "" {
			require.Len(t, ends[e.Session], 1, "%s: %v", e.Session, ends[e.Session])
		}
	}
}
