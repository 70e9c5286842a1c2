package scorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// onnxBackend runs a model with ONNX Runtime.
type onnxBackend struct {
	networks  *networks
	execution onnx.Execution // the same for all sessions
	contract  Contract
	sha256    string
	lanes     chan *lane // one per worker; each run takes one
	once      sync.Once
}

func load(ctx context.Context, rt *onnx.Runtime, model Model, cfg Config, sizes sizes, log *slog.Logger) (*onnxBackend, error) {
	sum, err := checkHash(model)
	if err != nil {
		return nil, err
	}
	options := sessionOptions(cfg, rt.Provider())
	trial := newTrial(rt, model.Name)
	first, err := rt.LoadTried(ctx, model.Data, options, trial.onnx(log))
	if err = errors.Join(err, trial.close()); err != nil {
		return nil, fmt.Errorf("model %s: %w", model.Name, err)
	}
	contract, err := readContract(model.Name, first)
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	b := &onnxBackend{
		execution: first.Execution(), contract: contract, sha256: sum,
		lanes: make(chan *lane, options.Parallel),
	}
	options.Provider = b.execution.Provider // what the trial has chosen
	b.networks, err = newNetworks(first, sizes, func() (session, error) { return rt.Load(model.Data, options) })
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", model.Name, err)
	}
	if err := b.addLanes(rt, rhoFirst(first)); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s: %w", model.Name, err), b.Close())
	}
	return b, nil
}

func (b *onnxBackend) addLanes(rt *onnx.Runtime, rhoFirst bool) error {
	for range cap(b.lanes) {
		l, err := newLane(rt, b.networks.sizes.all, b.contract.K, rhoFirst)
		if err != nil {
			return err
		}
		b.lanes <- l
	}
	return nil
}

// sessionOptions does not name the outputs, so that a wrong model is refused by
// the contract's check and not for a missing name.
func sessionOptions(cfg Config, p onnx.Provider) onnx.SessionOptions {
	batch := func(n int) []int64 { return []int64{int64(n), InputSize, InputSize, 3} }
	return onnx.SessionOptions{
		IntraOpThreads: cfg.IntraOpThreads,
		Parallel:       cfg.workersOn(p),
		Range:          &onnx.ShapeRange{Input: inputName, Min: batch(1), Opt: batch(cfg.MaxBatch), Max: batch(cfg.MaxBatch)},
	}
}

func (b *onnxBackend) Score(ctx context.Context, crops []*Crop, rho []float32) error {
	if len(crops) == 0 || len(crops) != len(rho) {
		return fmt.Errorf("batch of %d crops for %d scores", len(crops), len(rho))
	}
	var l *lane
	select {
	case l = <-b.lanes:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { b.lanes <- l }() // after the run has returned: a stuck run keeps its lane
	return b.run(ctx, l, crops, rho)
}

// run gives the network the smallest size that holds all crops. What lies behind them in the tensor
// is of earlier batches; its scores are not read, and a crop's score does not depend on the others.
func (b *onnxBackend) run(ctx context.Context, l *lane, crops []*Crop, rho []float32) error {
	if most := b.networks.sizes.largest(); len(crops) > most {
		return fmt.Errorf("batch of %d crops: at most %d", len(crops), most)
	}
	for i, crop := range crops {
		crop.CopyTo(l.faces[i*cropBytes:][:cropBytes])
	}
	// A value that the run does not write must not count as a score.
	for i := range crops {
		l.rho[i] = float32(math.NaN())
	}
	if err := b.networks.run(ctx, l, b.networks.sizes.holding(len(crops))); err != nil {
		return err
	}
	copy(rho, l.rho)
	return nil
}

// Info names the model by its metadata: name and precision.
func (b *onnxBackend) Info() liveproof.ModelInfo {
	name := b.contract.Name
	if suffix := "-" + b.contract.Precision; !strings.HasSuffix(name, suffix) {
		name += suffix
	}
	return liveproof.ModelInfo{
		Name: name, SHA256: b.sha256, Threshold: b.contract.Threshold, Demo: b.contract.Demo,
		Provider: string(b.execution.Provider), Precision: string(b.execution.Precision),
	}
}

func (b *onnxBackend) Fill(n int) int { return b.networks.sizes.fill(n) }

func (b *onnxBackend) Workers() int { return cap(b.lanes) }

func (b *onnxBackend) Close() error {
	var errs []error
	b.once.Do(func() {
		errs = append(errs, b.networks.close())
		for len(b.lanes) > 0 {
			errs = append(errs, (<-b.lanes).close())
		}
	})
	return errors.Join(errs...)
}

// rhoFirst reports the order of the two outputs, which the contract leaves open.
func rhoFirst(s *onnx.Session) bool { return s.Outputs()[0].Name == rhoName }
