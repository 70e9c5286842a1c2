package onnx

import (
	"cmp"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// SessionOptions is what one session differs in from its runtime's Config.
type SessionOptions struct {
	// Inputs and Outputs choose and order the tensors of Run by name. Empty:
	// all of the network's, in its order.
	Inputs, Outputs []string
	// Provider, IntraOpThreads and InterOpThreads replace Config's where not zero.
	Provider       Provider
	IntraOpThreads int
	InterOpThreads int
	// Range tells TensorRT the shapes to expect, so that it builds one engine
	// for all of them; the other providers need none.
	Range *ShapeRange
}

// apply returns cfg with this session's own values.
func (o SessionOptions) apply(cfg Config) Config {
	cfg.Provider = cmp.Or(o.Provider, cfg.Provider)
	cfg.IntraOpThreads = cmp.Or(o.IntraOpThreads, cfg.IntraOpThreads)
	cfg.InterOpThreads = cmp.Or(o.InterOpThreads, cfg.InterOpThreads)
	return cfg
}

// nativeOptions builds ONNX Runtime's options; the caller destroys them.
func nativeOptions(cfg Config, shapes *ShapeRange) (*ort.SessionOptions, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("session options: %w", err)
	}
	if err := configure(options, cfg, shapes); err != nil {
		_ = options.Destroy()
		return nil, err
	}
	return options, nil
}

func configure(options *ort.SessionOptions, cfg Config, shapes *ShapeRange) error {
	spinning := "0"
	if cfg.AllowSpinning {
		spinning = "1"
	}
	steps := []func() error{
		func() error { return options.SetIntraOpNumThreads(cfg.IntraOpThreads) },
		func() error { return options.SetInterOpNumThreads(cfg.InterOpThreads) },
		func() error { return options.AddSessionConfigEntry("session.intra_op.allow_spinning", spinning) },
		func() error { return options.AddSessionConfigEntry("session.inter_op.allow_spinning", spinning) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("session options: %w", err)
		}
	}
	p := providerOf(cfg.Provider)
	if err := p.add(options, cfg, shapes); err != nil {
		return p.failed(err)
	}
	return nil
}
