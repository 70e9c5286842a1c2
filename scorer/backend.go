package scorer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Backend runs one model on batches.
type Backend interface {
	// Score writes ρ of crops[i] to rho[i]; crops are 224·224·3 bytes of RGB each,
	// 1 ≤ len(crops) = len(rho) ≤ the batch size that it was made for. An error
	// fails the whole batch. It returns soon after ctx ends and is called from as
	// many goroutines as Workers says. Values are not checked here.
	Score(ctx context.Context, crops [][]byte, rho []float32) error
	// Info identifies the model.
	Info() liveproof.ModelInfo
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

// Load turns a model file into a backend: it refuses other bytes than
// expected and every departure from the model contract (ContractError, which
// names it), and warms it up with each batch size.
func Load(ctx context.Context, rt *onnx.Runtime, model Model, cfg Config) (Backend, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	b, err := load(rt, model, cfg)
	if err != nil {
		return nil, err
	}
	if err := warmUp(ctx, b, cfg.MaxBatch); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s: warm-up: %w", model.Name, err), b.Close())
	}
	return b, nil
}

func load(rt *onnx.Runtime, model Model, cfg Config) (*onnxBackend, error) {
	sum, err := checkHash(model)
	if err != nil {
		return nil, err
	}
	session, err := rt.Load(model.Data, sessionOptions(cfg))
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", model.Name, err)
	}
	contract, err := readContract(model.Name, session)
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	b := &onnxBackend{session: session, contract: contract, sha256: sum, lanes: make(chan *lane, cfg.workersOn(rt.Provider()))}
	for range cap(b.lanes) {
		l, err := newLane(rt, cfg.MaxBatch, contract.K, session.Outputs()[0].Name == rhoName)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("model %s: %w", model.Name, err), b.Close())
		}
		b.lanes <- l
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

// sessionOptions leaves the outputs to the network, so that the contract and not a
// missing name is what refuses a wrong model.
func sessionOptions(cfg Config) onnx.SessionOptions {
	batch := func(n int) []int64 { return []int64{int64(n), InputSize, InputSize, 3} }
	return onnx.SessionOptions{
		IntraOpThreads: cfg.IntraOpThreads,
		Range:          &onnx.ShapeRange{Input: inputName, Min: batch(1), Opt: batch(cfg.MaxBatch), Max: batch(cfg.MaxBatch)},
	}
}

// warmUp runs every batch size once, on mid-grey, so that the first session does not
// pay for what ONNX Runtime prepares per shape, and a model that cannot score
// is found at start.
func warmUp(ctx context.Context, b Backend, maxBatch int) error {
	crop := greyCrop()
	for n := 1; n <= maxBatch; n++ {
		crops, rho := make([][]byte, n), make([]float32, n)
		for i := range crops {
			crops[i] = crop
		}
		if err := b.Score(ctx, crops, rho); err != nil {
			return fmt.Errorf("batch of %d: %w", n, err)
		}
		for _, r := range rho {
			if !validRho(r) {
				return fmt.Errorf("batch of %d: %w: ρ = %v", n, liveproof.ErrScoreInvalid, r)
			}
		}
	}
	return nil
}

func greyCrop() []byte {
	crop := make([]byte, cropBytes)
	for i := range crop {
		crop[i] = 128
	}
	return crop
}

// validRho is the last guard before a verdict: NaN compares false and so is refused.
func validRho(rho float32) bool {
	return rho >= 0 && rho <= 1 && !math.IsNaN(float64(rho))
}

// onnxBackend runs a model with ONNX Runtime.
type onnxBackend struct {
	session  *onnx.Session
	contract Contract
	sha256   string
	lanes    chan *lane // one per worker; a run borrows one
	once     sync.Once
}

// lane is one worker's memory: tensors for every batch size over one buffer each
// for crops, ρ and probabilities.
type lane struct {
	faces []uint8
	rho   []float32
	atoms []float32 // the contract has them; the verdict rests on ρ alone
	// inputs and outputs by batch size - 1, in the network's order.
	inputs, outputs [][]onnx.Value
	closers         []func() error
}

func newLane(rt *onnx.Runtime, maxBatch, k int, rhoFirst bool) (*lane, error) {
	l := &lane{
		faces: make([]uint8, maxBatch*cropBytes),
		rho:   make([]float32, maxBatch),
		atoms: make([]float32, maxBatch*(k+1)),
	}
	for n := int64(1); n <= int64(maxBatch); n++ {
		if err := l.addBatch(rt, n, int64(k), rhoFirst); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

func (l *lane) addBatch(rt *onnx.Runtime, n, k int64, rhoFirst bool) error {
	faces, err := lend(l, rt, l.faces, n, InputSize, InputSize, 3)
	if err != nil {
		return err
	}
	rho, err := lend(l, rt, l.rho, n)
	if err != nil {
		return err
	}
	atoms, err := lend(l, rt, l.atoms, n, k+1)
	if err != nil {
		return err
	}
	outputs := []onnx.Value{rho, atoms}
	if !rhoFirst {
		outputs = []onnx.Value{atoms, rho}
	}
	l.inputs = append(l.inputs, []onnx.Value{faces})
	l.outputs = append(l.outputs, outputs)
	return nil
}

// lend makes a tensor over buffer that the lane closes.
func lend[T onnx.Element](l *lane, rt *onnx.Runtime, buffer []T, shape ...int64) (onnx.Value, error) {
	t, err := onnx.NewTensorOver(rt, buffer, shape...)
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, t.Close)
	return t, nil
}

func (l *lane) close() error {
	var errs []error
	for _, c := range l.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

func (b *onnxBackend) Score(ctx context.Context, crops [][]byte, rho []float32) error {
	if len(crops) == 0 || len(crops) != len(rho) {
		return fmt.Errorf("batch of %d crops for %d scores", len(crops), len(rho))
	}
	var l *lane
	select {
	case l = <-b.lanes:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { b.lanes <- l }()
	return b.run(ctx, l, crops, rho)
}

func (b *onnxBackend) run(ctx context.Context, l *lane, crops [][]byte, rho []float32) error {
	n := len(crops)
	if n > len(l.inputs) {
		return fmt.Errorf("batch of %d crops: at most %d", n, len(l.inputs))
	}
	for i, crop := range crops {
		if len(crop) != cropBytes {
			return fmt.Errorf("%w: %d bytes", ErrCrop, len(crop))
		}
		copy(l.faces[i*cropBytes:], crop)
	}
	// What a run leaves unwritten must not pass for a score.
	for i := range n {
		l.rho[i] = float32(math.NaN())
	}
	if err := b.session.Run(ctx, l.inputs[n-1], l.outputs[n-1]); err != nil {
		return err
	}
	copy(rho, l.rho[:n])
	return nil
}

// Info names the model by its metadata: name and precision.
func (b *onnxBackend) Info() liveproof.ModelInfo {
	name := b.contract.Name
	if suffix := "-" + b.contract.Precision; !strings.HasSuffix(name, suffix) {
		name += suffix
	}
	return liveproof.ModelInfo{Name: name, SHA256: b.sha256, Threshold: b.contract.Threshold, Demo: b.contract.Demo}
}

func (b *onnxBackend) Workers() int { return cap(b.lanes) }

func (b *onnxBackend) Close() error {
	var errs []error
	b.once.Do(func() {
		errs = append(errs, b.session.Close())
		for len(b.lanes) > 0 {
			errs = append(errs, (<-b.lanes).close())
		}
	})
	return errors.Join(errs...)
}
