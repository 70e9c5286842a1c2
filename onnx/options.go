package onnx

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

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

// ShapeRange bounds the shape of one input.
type ShapeRange struct {
	Input         string
	Min, Opt, Max []int64
}

func (r *ShapeRange) settings() map[string]string {
	return map[string]string{
		"trt_profile_min_shapes": r.Input + ":" + dimensions(r.Min),
		"trt_profile_opt_shapes": r.Input + ":" + dimensions(r.Opt),
		"trt_profile_max_shapes": r.Input + ":" + dimensions(r.Max),
	}
}

// dimensions writes a shape as TensorRT reads it: 8x224x224x3.
func dimensions(shape []int64) string {
	text := make([]string, len(shape))
	for i, d := range shape {
		text[i] = strconv.FormatInt(d, 10)
	}
	return strings.Join(text, "x")
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
	return appendProvider(options, cfg, shapes)
}

// appendProvider puts the GPU before the CPU, which ONNX Runtime always keeps
// for operators that the GPU lacks.
func appendProvider(options *ort.SessionOptions, cfg Config, shapes *ShapeRange) error {
	var err error
	switch cfg.Provider {
	case ProviderCPU:
		return nil
	case ProviderCUDA:
		err = appendCUDA(options, cfg)
	case ProviderTensorRT:
		// What TensorRT cannot take goes to CUDA before it goes to the CPU.
		if err = appendTensorRT(options, cfg, shapes); err == nil {
			err = appendCUDA(options, cfg)
		}
	}
	if err != nil {
		return providerError(cfg.Provider, err)
	}
	return nil
}

func providerError(p Provider, err error) error {
	return fmt.Errorf("%w: %s: %w; install the GPU build of ONNX Runtime (PyPI onnxruntime-gpu) and NVIDIA's driver, "+
		"point onnx.library or %s at it, or set onnx.provider to cpu", ErrProvider, p, err, LibraryEnv)
}

func appendCUDA(options *ort.SessionOptions, cfg Config) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = cuda.Destroy() }()
	if err := cuda.Update(map[string]string{"device_id": strconv.Itoa(cfg.DeviceID)}); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

func appendTensorRT(options *ort.SessionOptions, cfg Config, shapes *ShapeRange) error {
	rt, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = rt.Destroy() }()
	settings, err := tensorRTSettings(cfg, shapes)
	if err != nil {
		return err
	}
	if err := rt.Update(settings); err != nil {
		return err
	}
	return options.AppendExecutionProviderTensorRT(rt)
}

func tensorRTSettings(cfg Config, shapes *ShapeRange) (map[string]string, error) {
	settings := map[string]string{"device_id": strconv.Itoa(cfg.DeviceID)}
	if cfg.TensorRTFP16 {
		settings["trt_fp16_enable"] = "1"
	}
	if shapes != nil {
		maps.Copy(settings, shapes.settings())
	}
	if cfg.TensorRTCacheDir == "" {
		return settings, nil
	}
	if err := os.MkdirAll(cfg.TensorRTCacheDir, 0o755); err != nil {
		return nil, fmt.Errorf("tensorrt_cache_dir: %w", err)
	}
	settings["trt_engine_cache_enable"] = "1"
	settings["trt_engine_cache_path"] = cfg.TensorRTCacheDir
	settings["trt_timing_cache_enable"] = "1"
	settings["trt_timing_cache_path"] = cfg.TensorRTCacheDir
	return settings, nil
}
