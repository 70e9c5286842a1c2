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
	// Parallel is how many runs there may be at once; 0: one. On OpenVINO further runs wait;
	// the other providers run any number at once.
	Parallel int
	// Range tells TensorRT the shapes to expect, so that it builds one engine
	// for all of them; the other providers need none.
	Range *ShapeRange
}

// apply returns cfg with this session's own values.
func (o SessionOptions) apply(cfg Config) Config {
	if o.Provider != "" {
		if rowOf(o.Provider) != rowOf(cfg.Provider) {
			cfg.Precision = PrecisionAuto // the configured one is for another provider
		}
		cfg.Provider = o.Provider
	}
	cfg.IntraOpThreads = cmp.Or(o.IntraOpThreads, cfg.IntraOpThreads)
	cfg.InterOpThreads = cmp.Or(o.InterOpThreads, cfg.InterOpThreads)
	return cfg
}

// newJob resolves the provider and the precision of a session.
func newJob(cfg Config, opt SessionOptions) (job, error) {
	if err := cfg.Validate(); err != nil {
		return job{}, err
	}
	if cfg.Provider == ProviderAuto { // a configured precision is for OpenVINO; the plain provider has only one
		cfg.Provider, cfg.Precision = ProviderCPU, PrecisionAuto
	}
	p := providerOf(cfg.Provider)
	precision, err := p.resolve(cfg.Precision)
	if err != nil {
		return job{}, fmt.Errorf("%w: onnx.%w", ErrProvider, err)
	}
	cfg.Precision = precision
	return job{cfg: cfg, parallel: opt.Parallel, shapes: opt.Range}, nil
}

// nativeOptions builds ONNX Runtime's options; the caller destroys them.
func nativeOptions(j job) (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("session options: %w", err)
	}
	if err := configure(options, j); err != nil {
		_ = options.Destroy()
		return nil, err
	}
	return options, nil
}

// exactSums makes 8-bit networks give the same values on every x86 CPU. Without it, sums of CPUs that have neither AVX-512 VNNI nor AMX saturate, and
// scores are wrong by up to 0.9 there. Such CPUs are slower with it; it changes nothing on others, and nothing for networks of floats.
const exactSums = "session.x64quantprecision"

func configure(options *ort.SessionOptions, j job) error {
	cfg := j.cfg
	spinning := "0"
	if cfg.AllowSpinning {
		spinning = "1"
	}
	steps := []func() error{
		func() error { return options.SetIntraOpNumThreads(cfg.IntraOpThreads) },
		func() error { return options.SetInterOpNumThreads(cfg.InterOpThreads) },
		func() error { return options.AddSessionConfigEntry("session.intra_op.allow_spinning", spinning) },
		func() error { return options.AddSessionConfigEntry("session.inter_op.allow_spinning", spinning) },
		func() error { return options.AddSessionConfigEntry(exactSums, "1") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("session options: %w", err)
		}
	}
	p := providerOf(cfg.Provider)
	if err := p.add(options, j); err != nil {
		return p.failed(err)
	}
	return nil
}
