package scorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/scorer/oip"
)

// known is what a model file says and computes.
type known struct {
	info      liveproof.ModelInfo
	precision string
	rho       []float32 // of trialPictures
}

// reference runs the model file here, once, and closes it again.
func reference(ctx context.Context, rt *onnx.Runtime, model Model, cfg Config, log *slog.Logger) (k known, err error) {
	local, err := load(ctx, rt, model, cfg, sizes{all: []int{1}}, log)
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	k = known{info: local.Info(), precision: local.contract.Precision}
	for _, picture := range trialPictures() {
		rho := make([]float32, 1)
		if err := local.Score(ctx, []*Crop{cropOf(picture)}, rho); err != nil {
			return k, err
		}
		k.rho = append(k.rho, rho[0])
	}
	return k, nil
}

func cropOf(pixels []byte) *Crop {
	return &Crop{picture: &liveproof.Image{Width: InputSize, Height: InputSize, Stride: cropRow, Pix: pixels}}
}

// accept refuses servers that do not run the known model.
func (b *kserveBackend) accept(ctx context.Context, k known) error {
	ready, err := b.client.ModelReady(ctx, &oip.ModelReadyRequest{Name: b.cfg.Model, Version: b.version})
	if err != nil {
		return fmt.Errorf("%w: is it running, and is scorer.kserve.model a model of it? %w", liveproof.ErrUnavailable, err)
	}
	if !ready.Ready {
		return fmt.Errorf("%w: model %s is not ready", liveproof.ErrUnavailable, b.cfg.Model)
	}
	about, err := b.client.ModelMetadata(ctx, &oip.ModelMetadataRequest{Name: b.cfg.Model, Version: b.version})
	if err != nil {
		return fmt.Errorf("%w: metadata: %w", liveproof.ErrUnavailable, err)
	}
	if err := b.contract(about); err != nil {
		return err
	}
	switch {
	case b.version == "" && len(about.Versions) > 1:
		return fmt.Errorf("model %s has the versions %s; scorer.kserve.version must name one", b.cfg.Model, strings.Join(about.Versions, ", "))
	case b.version == "" && len(about.Versions) == 1:
		b.version = about.Versions[0]
	}
	if b.version == "" { // MLServer lists none
		if b.version, err = b.answering(ctx); err != nil {
			return err
		}
	}
	b.info = k.info
	b.info.Provider = b.cfg.remoteName(about.Platform)
	return b.sameAs(ctx, k)
}

// answering is the version that answers now, by its own word; empty if the server does not say.
func (b *kserveBackend) answering(ctx context.Context) (string, error) {
	answer, err := b.client.ModelInfer(ctx, b.request([]*Crop{cropOf(trialPictures()[0])}))
	if err != nil {
		return "", fmt.Errorf("%w: first crop: %w", liveproof.ErrUnavailable, err)
	}
	return answer.ModelVersion, nil
}

// contract checks the tensors that the server names.
func (b *kserveBackend) contract(about *oip.ModelMetadataResponse) error {
	var wrong []Difference
	input := Difference{"input " + inputName, "UINT8[-1 224 224 3]", "none of that name"}
	for _, in := range about.Inputs {
		if in.Name == inputName {
			input.Found = fmt.Sprintf("%s%v", in.Datatype, in.Shape)
		}
	}
	if input.Found != input.Expected {
		wrong = append(wrong, input)
	}
	output := Difference{"output " + rhoName, "FP32[-1]", "none of that name"}
	for _, out := range about.Outputs {
		if out.Name == rhoName {
			output.Found = fmt.Sprintf("%s%v", out.Datatype, out.Shape)
		}
	}
	if !strings.HasPrefix(output.Found, "FP32[-1") {
		wrong = append(wrong, output)
	}
	if len(wrong) > 0 {
		return &ContractError{Model: b.cfg.Model, Differences: wrong}
	}
	return nil
}

// sameAs compares the servers' ρ of the trial pictures with the file's: one at a time, and all in one batch.
func (b *kserveBackend) sameAs(ctx context.Context, k known) error {
	pictures := trialPictures()
	crops := make([]*Crop, len(pictures))
	for i, p := range pictures {
		crops[i] = cropOf(p)
	}
	for _, size := range []int{1, min(len(crops), b.maxBatch)} {
		for from := 0; from+size <= len(crops); from += size {
			rho := make([]float32, size)
			if err := b.Score(ctx, crops[from:][:size], rho); err != nil {
				return err
			}
			if differ := k.differences(rho, from); len(differ) > 0 {
				return &ContractError{Model: b.cfg.Model, Differences: differ}
			}
		}
	}
	return nil
}

// differences compares the servers' ρ of the trial pictures from first on with the file's.
func (k known) differences(rho []float32, first int) (out []Difference) {
	limit := rhoLimit(k.precision, onnx.PrecisionBF16) // no server says which arithmetic it uses
	for i, got := range rho {
		want := k.rho[first+i]
		if !validRho(got) || math.Abs(float64(got-want)) > limit {
			out = append(out, Difference{
				fmt.Sprintf("ρ of trial picture %d in a batch of %d", first+i+1, len(rho)), fmt.Sprintf("%.4f ± %g, as the file gives", want, limit), fmt.Sprintf("%.4f", got),
			})
		}
	}
	return out
}
