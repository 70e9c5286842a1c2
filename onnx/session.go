package onnx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// TensorInfo describes one input or output of a network.
type TensorInfo struct {
	Name string
	// Type is the element type as Go and PyTorch spell it: uint8, int64, float16,
	// float32, …; "sequence" or "map" for what is no tensor.
	Type string
	// Shape has -1 where a dimension is free.
	Shape []int64
}

// String is "name type[shape]", such as "faces uint8[-1 224 224 3]".
func (i TensorInfo) String() string { return fmt.Sprintf("%s %s%v", i.Name, i.Type, i.Shape) }

// Session is one loaded network. Run may be called from many goroutines at once.
type Session struct {
	inputs, outputs []TensorInfo
	metadata        map[string]string
	execution       Execution
	runInputs       int
	runOutputs      int

	// mu lets runs share the session and Close wait for them.
	mu     sync.RWMutex
	native *ort.DynamicAdvancedSession
}

// Load prepares a network for running; model is not kept. It takes ProviderAuto as the plain
// CPU provider; use LoadTried to take the faster one. Errors wrap ErrModel
// when the bytes are no network (truncated, damaged, unknown operators) and
// ErrProvider when the hardware cannot be used.
func (r *Runtime) Load(model []byte, opt SessionOptions) (*Session, error) {
	if err := r.acquire(); err != nil {
		return nil, err
	}
	described, err := describe(model)
	if err != nil {
		return nil, errors.Join(err, shared.release())
	}
	return described.load(r, model, opt)
}

// load makes the session of a described network. The caller's reference to the environment
// passes to the session, whose Close releases it.
func (d description) load(r *Runtime, model []byte, opt SessionOptions) (*Session, error) {
	s, err := d.create(model, opt, opt.apply(r.cfg))
	if err != nil {
		return nil, errors.Join(err, shared.release())
	}
	return s, nil
}

// description is what a file says about its network.
type description struct{ inputs, outputs []TensorInfo }

func (d description) create(model []byte, opt SessionOptions, cfg Config) (*Session, error) {
	s := &Session{inputs: d.inputs, outputs: d.outputs}
	inputs, err := choose("input", opt.Inputs, s.inputs)
	if err != nil {
		return nil, err
	}
	outputs, err := choose("output", opt.Outputs, s.outputs)
	if err != nil {
		return nil, err
	}
	s.runInputs, s.runOutputs = len(inputs), len(outputs)
	j, err := newJob(cfg, opt)
	if err != nil {
		return nil, err
	}
	s.execution = Execution{Provider: j.cfg.Provider, Precision: j.cfg.Precision}
	err = keepSignalStack(func() error { return s.create(model, inputs, outputs, j) })
	if err != nil {
		return nil, err
	}
	return s, nil
}

// describe reads names, types and shapes. ONNX Runtime's Go wrapper gives them
// only for a session of its own, which is dropped again.
func describe(model []byte) (description, error) {
	if len(model) == 0 {
		return description{}, fmt.Errorf("%w: it is empty", ErrModel)
	}
	inputs, outputs, err := ort.GetInputOutputInfoWithONNXData(model)
	if err != nil {
		return description{}, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return description{tensorInfos(inputs), tensorInfos(outputs)}, nil
}

func (s *Session) create(model []byte, inputs, outputs []string, j job) error {
	options, err := nativeOptions(j)
	if err != nil {
		return err
	}
	defer func() { _ = options.Destroy() }()
	native, err := ort.NewDynamicAdvancedSessionWithONNXData(model, inputs, outputs, options)
	if err != nil && j.cfg.Provider != ProviderCPU {
		return providerOf(j.cfg.Provider).failed(err) // the CPU has just accepted this model, so the provider is at fault
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	if s.metadata, err = readMetadata(native); err != nil {
		_ = native.Destroy()
		return fmt.Errorf("%w: metadata: %w", ErrModel, err)
	}
	s.native = native
	return nil
}

func choose(kind string, names []string, infos []TensorInfo) ([]string, error) {
	var have []string
	for _, info := range infos {
		have = append(have, info.Name)
	}
	if len(names) == 0 {
		return have, nil
	}
	for _, name := range names {
		if !slices.Contains(have, name) {
			return nil, fmt.Errorf("%w: no %s %q, it has %s", ErrModel, kind, name, strings.Join(have, ", "))
		}
	}
	return names, nil
}

func tensorInfos(native []ort.InputOutputInfo) []TensorInfo {
	infos := make([]TensorInfo, len(native))
	for i, n := range native {
		infos[i] = TensorInfo{Name: n.Name, Type: typeName(n), Shape: slices.Clone([]int64(n.Dimensions))}
	}
	return infos
}

func typeName(n ort.InputOutputInfo) string {
	if n.OrtValueType != ort.ONNXTypeTensor {
		return strings.ToLower(strings.TrimPrefix(n.OrtValueType.String(), "ONNX_TYPE_"))
	}
	name := strings.ToLower(strings.TrimPrefix(n.DataType.String(), "ONNX_TENSOR_ELEMENT_DATA_TYPE_"))
	switch name {
	case "float":
		return "float32"
	case "double":
		return "float64"
	}
	return name
}

func readMetadata(native *ort.DynamicAdvancedSession) (map[string]string, error) {
	meta, err := native.GetModelMetadata()
	if err != nil {
		return nil, err
	}
	defer func() { _ = meta.Destroy() }()
	keys, err := meta.GetCustomMetadataMapKeys()
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(keys))
	for _, key := range keys {
		value, found, err := meta.LookupCustomMetadataMap(key)
		if err != nil {
			return nil, err
		}
		if found {
			out[key] = value
		}
	}
	return out, nil
}

// Inputs describes all inputs of the network, in its order.
func (s *Session) Inputs() []TensorInfo { return slices.Clone(s.inputs) }

// Outputs describes all outputs of the network, in its order.
func (s *Session) Outputs() []TensorInfo { return slices.Clone(s.outputs) }

// Execution is the provider and the precision that run the session.
func (s *Session) Execution() Execution { return s.execution }

// Metadata is a copy of the model's metadata_props.
func (s *Session) Metadata() map[string]string { return maps.Clone(s.metadata) }

// Run computes outputs from inputs, in the order of SessionOptions.Inputs and
// Outputs (or the network's). Output tensors are allocated beforehand with the
// exact shape that the network yields. It blocks until done; when ctx ends
// first, the network is stopped at its next operator and ctx's error returned. OpenVINO
// runs the whole network as one operator, so that Run there waits for its end and
// returns its result.
func (s *Session) Run(ctx context.Context, inputs, outputs []Value) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(inputs) != s.runInputs || len(outputs) != s.runOutputs {
		return fmt.Errorf("run with %d inputs and %d outputs: the session has %d and %d",
			len(inputs), len(outputs), s.runInputs, s.runOutputs)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.native == nil {
		return fmt.Errorf("ONNX session: %w", ErrClosed)
	}
	in, out := natives(inputs), natives(outputs)
	if ctx.Done() == nil {
		return s.native.Run(in, out)
	}
	return s.runUntil(ctx, in, out)
}

// runUntil runs the network and stops it when ctx ends.
func (s *Session) runUntil(ctx context.Context, in, out []ort.Value) error {
	options, err := ort.NewRunOptions()
	if err != nil {
		return fmt.Errorf("run options: %w", err)
	}
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		_ = options.Terminate()
	})
	err = s.native.RunWithOptions(in, out, options)
	if !stop() {
		<-terminated // options must outlive Terminate
	}
	_ = options.Destroy()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func natives(values []Value) []ort.Value {
	out := make([]ort.Value, len(values))
	for i, v := range values {
		out[i] = v.native()
	}
	return out
}

// Close waits for runs in flight and frees the network. It is idempotent.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.native == nil {
		return nil
	}
	err := s.native.Destroy()
	s.native = nil
	return errors.Join(err, shared.release())
}
