package scorer

import (
	"errors"

	"github.com/liveproof/liveproof/onnx"
)

// lane is one worker's memory: tensors for each batch size over one buffer each
// for crops, ρ and probabilities.
type lane struct {
	faces []uint8
	rho   []float32
	atoms []float32 // an output of the contract; not used, as the verdict rests on ρ alone
	// inputs and outputs of each batch size, in the network's order.
	inputs, outputs [][]onnx.Value
	closers         []func() error
}

func newLane(rt *onnx.Runtime, sizes []int, k int, rhoFirst bool) (*lane, error) {
	maxBatch := sizes[len(sizes)-1]
	l := &lane{
		faces: make([]uint8, maxBatch*cropBytes),
		rho:   make([]float32, maxBatch),
		atoms: make([]float32, maxBatch*(k+1)),
	}
	for _, n := range sizes {
		if err := l.addBatch(rt, int64(n), int64(k), rhoFirst); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

func (l *lane) addBatch(rt *onnx.Runtime, n, k int64, rhoFirst bool) error {
	faces, err := overlay(l, rt, l.faces, n, InputSize, InputSize, 3)
	if err != nil {
		return err
	}
	rho, err := overlay(l, rt, l.rho, n)
	if err != nil {
		return err
	}
	atoms, err := overlay(l, rt, l.atoms, n, k+1)
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

// overlay makes a tensor over buffer; the lane closes it.
func overlay[T onnx.Element](l *lane, rt *onnx.Runtime, buffer []T, shape ...int64) (onnx.Value, error) {
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
