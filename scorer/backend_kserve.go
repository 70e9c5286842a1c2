package scorer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/scorer/oip"
)

// kserveWorkers is how many batches wait for inference servers at once, unless Config.Workers says so.
const kserveWorkers = 4

// kserveBackend runs a model on inference servers.
type kserveBackend struct {
	cfg      KServeConfig
	conn     *grpc.ClientConn
	client   oip.GRPCInferenceServiceClient
	version  string
	info     liveproof.ModelInfo
	maxBatch int
	workers  int
}

// LoadKServe connects to the inference servers of the configuration. model is the file that they must run: its metadata is the model
// contract's, and its ρ of the trial pictures, computed here once, is what the servers must answer. So another model, or another preparation of
// the picture, is found at start (ContractError).
func LoadKServe(ctx context.Context, rt *onnx.Runtime, model Model, cfg Config, log *slog.Logger) (Backend, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	known, err := reference(ctx, rt, model, cfg, log)
	if err != nil {
		return nil, err
	}
	b, err := dialKServe(cfg)
	if err != nil {
		return nil, err
	}
	if err := b.accept(ctx, known); err != nil {
		return nil, errors.Join(fmt.Errorf("inference server %s: %w", cfg.KServe.Target, err), b.Close())
	}
	log.Info("inference server checked", "target", cfg.KServe.Target, "model", cfg.KServe.Model, "version", b.version, "provider", b.info.Provider)
	return b, nil
}

func dialKServe(cfg Config) (*kserveBackend, error) {
	secure, err := cfg.KServe.credentials()
	if err != nil {
		return nil, err
	}
	size := cfg.MaxBatch*cropBytes + 1<<20
	conn, err := grpc.NewClient(cfg.KServe.Target, grpc.WithTransportCredentials(secure), grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(size), grpc.MaxCallRecvMsgSize(1<<20)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 5 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("scorer.kserve.target: %w", err)
	}
	workers := kserveWorkers
	if cfg.Workers > 0 {
		workers = cfg.Workers
	}
	return &kserveBackend{
		cfg: cfg.KServe, conn: conn, client: oip.NewGRPCInferenceServiceClient(conn), version: cfg.KServe.Version, maxBatch: cfg.MaxBatch, workers: workers,
	}, nil
}

// Score implements Backend: it sends the crops as they are, and takes the first answer.
func (b *kserveBackend) Score(ctx context.Context, crops []*Crop, rho []float32) error {
	if len(crops) == 0 || len(crops) != len(rho) || len(crops) > b.maxBatch {
		return fmt.Errorf("batch of %d crops for %d scores, at most %d", len(crops), len(rho), b.maxBatch)
	}
	request := b.request(crops)
	answer, err := b.hedged(ctx, func(ctx context.Context) (*oip.ModelInferResponse, error) { return b.client.ModelInfer(ctx, request) })
	if err != nil {
		return err
	}
	return b.read(answer, rho)
}

func (b *kserveBackend) request(crops []*Crop) *oip.ModelInferRequest {
	pixels := make([]byte, len(crops)*cropBytes)
	for i, crop := range crops {
		crop.CopyTo(pixels[i*cropBytes:][:cropBytes])
	}
	return &oip.ModelInferRequest{
		ModelName: b.cfg.Model, ModelVersion: b.version,
		Inputs: []*oip.ModelInferRequest_InferInputTensor{
			{Name: inputName, Datatype: "UINT8", Shape: []int64{int64(len(crops)), InputSize, InputSize, 3}},
		},
		Outputs:          []*oip.ModelInferRequest_InferRequestedOutputTensor{{Name: rhoName}},
		RawInputContents: [][]byte{pixels},
	}
}

// read takes ρ out of an answer of the model and version that was asked.
func (b *kserveBackend) read(answer *oip.ModelInferResponse, rho []float32) error {
	if answer.ModelName != b.cfg.Model || b.version != "" && answer.ModelVersion != "" && answer.ModelVersion != b.version {
		return fmt.Errorf("the server answered with model %q version %q, asked were %q and %q", answer.ModelName, answer.ModelVersion, b.cfg.Model, b.version)
	}
	at := slices.IndexFunc(answer.Outputs, func(o *oip.ModelInferResponse_InferOutputTensor) bool { return o.Name == rhoName })
	if at < 0 {
		return fmt.Errorf("the server's answer has no output %q", rhoName)
	}
	out := answer.Outputs[at]
	if out.Datatype != "FP32" || !holds(out.Shape, len(rho)) {
		return fmt.Errorf("the server's output %q is %s%v, expected FP32[%d]", rhoName, out.Datatype, out.Shape, len(rho))
	}
	values := out.GetContents().GetFp32Contents()
	if at < len(answer.RawOutputContents) {
		values = float32s(answer.RawOutputContents[at])
	}
	if len(values) != len(rho) {
		return fmt.Errorf("the server answered with %d scores of %d crops", len(values), len(rho))
	}
	copy(rho, values)
	return nil
}

// holds reports whether a shape is n, with further axes of length 1 at most.
func holds(shape []int64, n int) bool {
	return len(shape) > 0 && shape[0] == int64(n) && !slices.ContainsFunc(shape[1:], func(d int64) bool { return d != 1 })
}

// float32s reads little-endian values; none if the length is not a multiple of four.
func float32s(raw []byte) []float32 {
	if len(raw)%4 != 0 {
		return nil
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values
}

// Info implements Backend.
func (b *kserveBackend) Info() liveproof.ModelInfo { return b.info }

// Fill implements Backend.
func (b *kserveBackend) Fill(n int) int { return n }

// Workers implements Backend.
func (b *kserveBackend) Workers() int { return b.workers }

// Close implements Backend.
func (b *kserveBackend) Close() error { return b.conn.Close() }
