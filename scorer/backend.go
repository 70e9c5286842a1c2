package scorer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Backend runs one model on batches.
type Backend interface {
	// Score writes ρ of crops[i] to rho[i], with 1 ≤ len(crops) = len(rho) ≤ the batch
	// size that the backend was made for. An error fails the whole batch. Score
	// returns soon after ctx ends. As many goroutines call it at once as Workers says.
	// The caller checks the values.
	Score(ctx context.Context, crops []*Crop, rho []float32) error
	// Info identifies the model.
	Info() liveproof.ModelInfo
	// Fill is how many of n waiting crops make a good batch, 1…n; n is at most the batch size. It never changes.
	Fill(n int) int
	// Workers is how many Scores may run at once, ≥ 1.
	Workers() int
	// Close frees the model; no Score is running.
	Close() error
}

// Model is a model file's content.
type Model struct {
	// Name of the file, for messages.
	Name string
	// SHA256 that Data must have, hex; empty takes any.
	SHA256 string
	Data   []byte
}

// Open loads the model where the configuration says: Load or LoadKServe.
func Open(ctx context.Context, rt *onnx.Runtime, model Model, cfg Config, log *slog.Logger) (Backend, error) {
	if cfg.Backend == BackendKServe {
		return LoadKServe(ctx, rt, model, cfg, log)
	}
	return Load(ctx, rt, model, cfg, log)
}

// Load turns a model file into a backend: it refuses other bytes than
// expected and every departure from the model contract (ContractError, which
// names it), compares the execution provider with the plain CPU provider
// (onnx.Runtime.LoadTried), and warms the model up with each batch size in use.
func Load(ctx context.Context, rt *onnx.Runtime, model Model, cfg Config, log *slog.Logger) (Backend, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	b, err := load(ctx, rt, model, cfg, sizesFor(rt.Provider(), cfg.MaxBatch), log)
	if err != nil {
		return nil, err
	}
	if err := warmUp(ctx, b, b.networks.sizes); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s: warm-up: %w", model.Name, err), b.Close())
	}
	return b, nil
}

func checkHash(model Model) (string, error) {
	hash := sha256.Sum256(model.Data)
	sum := hex.EncodeToString(hash[:])
	if model.SHA256 != "" && !strings.EqualFold(model.SHA256, sum) {
		return "", &ContractError{Model: model.Name, Differences: []Difference{{"file SHA-256", model.SHA256, sum}}}
	}
	return sum, nil
}

// warmUp runs every batch size, on mid-grey, so that the first session does not wait while ONNX Runtime
// prepares each shape, and a model that cannot score is found at start.
func warmUp(ctx context.Context, b Backend, s sizes) error {
	runs := 1
	if s.apart { // each session also prepares something for each run that it has at once
		runs = b.Workers()
	}
	for _, n := range s.all {
		errs := make([]error, runs)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = scoreGrey(ctx, b, n) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("batch of %d: %w", n, err)
		}
	}
	return nil
}

func scoreGrey(ctx context.Context, b Backend, n int) error {
	crops, rho := slices.Repeat([]*Crop{{picture: greyPicture()}}, n), make([]float32, n)
	if err := b.Score(ctx, crops, rho); err != nil {
		return err
	}
	for _, r := range rho {
		if !validRho(r) {
			return fmt.Errorf("%w: ρ = %v", liveproof.ErrScoreInvalid, r)
		}
	}
	return nil
}

func greyPicture() *liveproof.Image {
	grey := liveproof.NewImage(InputSize, InputSize)
	for i := range grey.Pix {
		grey.Pix[i] = 128
	}
	return grey
}

// validRho is the last guard before a verdict: NaN compares false and so is refused.
func validRho(rho float32) bool {
	return rho >= 0 && rho <= 1 && !math.IsNaN(float64(rho))
}
