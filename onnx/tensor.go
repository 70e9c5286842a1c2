package onnx

import (
	"fmt"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// maxElements bounds a tensor: 1 Gi elements are far above any picture batch.
const maxElements = 1 << 30

// Element is what a tensor can hold.
type Element interface {
	uint8 | int8 | int32 | int64 | float32 | float64
}

// Value is a tensor of any element type, as Run takes it.
type Value interface {
	// Shape is a copy of the tensor's shape.
	Shape() []int64
	native() ort.Value
}

// Tensor is memory shared by Go and ONNX Runtime: what is written to Data is
// what a network reads, and the other way round. It is made once and used for
// many runs; one run at a time may use it.
type Tensor[T Element] struct {
	shape []int64
	data  []T
	value *ort.Tensor[T]
	pins  *runtime.Pinner
	once  sync.Once
}

// NewTensor allocates a zeroed tensor with the given shape, all dimensions ≥ 1.
// The caller closes it.
func NewTensor[T Element](r *Runtime, shape ...int64) (*Tensor[T], error) {
	if err := r.acquire(); err != nil {
		return nil, err
	}
	t, err := newTensor[T](shape)
	if err != nil {
		_ = shared.release()
		return nil, err
	}
	return t, nil
}

// NewTensorOver makes a tensor over the beginning of data, which it shares:
// tensors of several batch sizes can lie over one buffer. The caller closes it.
func NewTensorOver[T Element](r *Runtime, data []T, shape ...int64) (*Tensor[T], error) {
	if err := r.acquire(); err != nil {
		return nil, err
	}
	t, err := overlay(data, shape)
	if err != nil {
		_ = shared.release()
		return nil, err
	}
	return t, nil
}

func newTensor[T Element](shape []int64) (*Tensor[T], error) {
	size, err := elements(shape)
	if err != nil {
		return nil, err
	}
	return overlay(make([]T, size), shape)
}

func overlay[T Element](data []T, shape []int64) (*Tensor[T], error) {
	size, err := elements(shape)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < size {
		return nil, fmt.Errorf("tensor of shape %v: %d elements are too few", shape, len(data))
	}
	t := &Tensor[T]{shape: append([]int64(nil), shape...), data: data[:size]}
	// ONNX Runtime keeps the address between calls, so the memory must not move.
	t.pins = shared.pin(&t.data[0])
	value, err := ort.NewTensor(ort.Shape(t.shape), t.data)
	if err != nil {
		shared.unpin(t.pins)
		return nil, fmt.Errorf("tensor of shape %v: %w", shape, err)
	}
	t.value = value
	return t, nil
}

// elements is the product of the shape's dimensions.
func elements(shape []int64) (int64, error) {
	size := int64(1)
	for _, d := range shape {
		if d < 1 || size > maxElements/d {
			return 0, fmt.Errorf("tensor of shape %v: dimensions must be ≥ 1 and their product ≤ %d", shape, int64(maxElements))
		}
		size *= d
	}
	if len(shape) == 0 {
		return 0, fmt.Errorf("tensor without dimensions")
	}
	return size, nil
}

// Data is the tensor's memory in row-major order; valid until Close.
func (t *Tensor[T]) Data() []T { return t.data }

// Shape is a copy of the tensor's shape.
func (t *Tensor[T]) Shape() []int64 { return append([]int64(nil), t.shape...) }

func (t *Tensor[T]) native() ort.Value { return t.value }

// Close frees the tensor. It is idempotent; no run may be using the tensor.
func (t *Tensor[T]) Close() error {
	var err error
	t.once.Do(func() {
		_ = t.value.Destroy()
		shared.unpin(t.pins)
		err = shared.release()
	})
	return err
}
