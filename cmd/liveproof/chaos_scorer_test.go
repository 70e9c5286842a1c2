package main

import (
	"context"
	"encoding/binary"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
