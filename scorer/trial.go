package scorer

import (
	"context"
	"log/slog"

	"github.com/liveproof/liveproof/onnx"
)

// trial compares execution providers by ρ of the trial pictures.
type trial struct {
	rt       *onnx.Runtime
	name     string
	pictures [][]byte
	// lane, and the precision of the file, are set by the first run.
	lane      *lane
	precision string
}

func newTrial(rt *onnx.Runtime, name string) *trial {
	return &trial{rt: rt, name: name, pictures: trialPictures()}
}

func (t *trial) onnx(log *slog.Logger) onnx.Trial {
	return onnx.Trial{Network: t.name, Pictures: len(t.pictures), Run: t.run, Limit: t.limit, Log: log}
}

// run gives ρ of one picture. Before the first run it checks the contract: the tensors fit
// only a network that keeps it.
func (t *trial) run(ctx context.Context, s *onnx.Session, picture int) ([]float32, error) {
	if t.lane == nil {
		contract, err := readContract(t.name, s)
		if err != nil {
			return nil, err
		}
		t.precision = contract.Precision
		if t.lane, err = newLane(t.rt, []int{1}, contract.K, rhoFirst(s)); err != nil {
			return nil, err
		}
	}
	copy(t.lane.faces, t.pictures[picture])
	if err := s.Run(ctx, t.lane.inputs[0], t.lane.outputs[0]); err != nil {
		return nil, err
	}
	return []float32{t.lane.rho[0]}, nil
}

// limit is the largest accepted |Δρ| from the plain CPU provider. The measurements behind the
// limits are in docs/model-contract.md.
func (t *trial) limit(on onnx.Execution) float64 { return rhoLimit(t.precision, on.Precision) }

// rhoLimit depends on what the file stores and on the arithmetic that runs it.
func rhoLimit(stored string, arithmetic onnx.Precision) float64 {
	switch {
	case stored == "int8": // two kernels may round a sum to different neighbours of the 256 levels
		return 5e-2
	case arithmetic == onnx.PrecisionBF16: // 8 bits of significand
		return 3e-2
	case arithmetic == onnx.PrecisionFP16, arithmetic == onnx.PrecisionTF32: // 11 bits of significand
		return 2e-3
	}
	return 1e-4
}

func (t *trial) close() error {
	if t.lane == nil {
		return nil
	}
	return t.lane.close()
}
