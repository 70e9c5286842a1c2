package onnx

import (
	"fmt"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"
)

// Provider names the hardware that runs the networks (ONNX Runtime's
// "execution provider").
type Provider string

// The providers. CUDA and TensorRT need the GPU build of ONNX Runtime.
const (
	ProviderCPU      Provider = "cpu"
	ProviderCUDA     Provider = "cuda"
	ProviderTensorRT Provider = "tensorrt"
)

// provider is one row of the table. To add one: a constant, a row, and its word in the
// comment of Config.Provider.
type provider struct {
	name Provider
	// add puts the provider before the CPU, which ONNX Runtime always keeps for
	// operators that the provider lacks.
	add func(options *ort.SessionOptions, cfg Config, shapes *ShapeRange) error
	// needs says what must be installed, for the error message.
	needs string
}

const needsNVIDIA = "install the GPU build of ONNX Runtime (PyPI onnxruntime-gpu) and NVIDIA's driver"

var providers = []provider{
	{name: ProviderCPU, add: addNothing},
	{name: ProviderCUDA, add: addCUDA, needs: needsNVIDIA},
	{name: ProviderTensorRT, add: addTensorRT, needs: needsNVIDIA},
}

// addNothing is for the CPU, which ONNX Runtime always has.
func addNothing(*ort.SessionOptions, Config, *ShapeRange) error { return nil }

func providerNames() []string {
	names := make([]string, len(providers))
	for i, p := range providers {
		names[i] = string(p.name)
	}
	return names
}

// providerOf finds the row of a name that Config.Validate has accepted.
func providerOf(name Provider) provider {
	for _, p := range providers {
		if p.name == name {
			return p
		}
	}
	panic("onnx: provider " + string(name) + " was not validated")
}

// failed says what to do about a provider that cannot be used here.
func (p provider) failed(err error) error {
	return fmt.Errorf("%w: %s: %w; %s, point onnx.library or %s at it, or set onnx.provider to cpu",
		ErrProvider, p.name, err, p.needs, LibraryEnv)
}

func addCUDA(options *ort.SessionOptions, cfg Config, _ *ShapeRange) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = cuda.Destroy() }()
	if err := cuda.Update(cudaSettings(cfg)); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

func cudaSettings(cfg Config) map[string]string {
	settings := map[string]string{"device_id": strconv.Itoa(cfg.DeviceID), "use_tf32": "0"}
	if cfg.CUDATF32 {
		settings["use_tf32"] = "1"
	}
	return settings
}
