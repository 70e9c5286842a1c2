package onnx

import (
	"fmt"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"
)

// Provider names what runs the networks (ONNX Runtime's "execution provider").
type Provider string

// The providers. CUDA and TensorRT need the GPU build of ONNX Runtime, OpenVINO its own.
const (
	// ProviderAuto is OpenVINO for each network that it runs faster here than the plain
	// CPU provider, and equally well; see Runtime.LoadTried.
	ProviderAuto     Provider = "auto"
	ProviderCPU      Provider = "cpu"
	ProviderOpenVINO Provider = "openvino"
	ProviderCUDA     Provider = "cuda"
	ProviderTensorRT Provider = "tensorrt"
)

// OnCPU reports whether the provider computes on the CPU's cores, so that runs side by side
// use more of them.
func (p Provider) OnCPU() bool {
	return p == ProviderAuto || p == ProviderCPU || p == ProviderOpenVINO
}

// PlansPerShape reports whether a session prepares itself anew whenever the shape of its input changes.
// ONNX Runtime's CUDA provider keeps the plan of each convolution for the last shape alone: another one
// costs 100 to 300 ms (ONNX Runtime 1.30, ResNet18, H200). TensorRT's engine holds for a range of shapes.
func (p Provider) PlansPerShape() bool { return p == ProviderCUDA }

// provider is one row of the table. To add one: a constant, a row, and its word in the
// comment of Config.Provider.
type provider struct {
	name Provider
	// add puts the provider before the CPU, which ONNX Runtime always keeps for
	// operators that the provider lacks.
	add func(options *ort.SessionOptions, job job) error
	// arithmetics are its precisions, the fastest first.
	arithmetics []arithmetic
	// needs says what must be installed, for the error message.
	needs string
}

// job is what a provider must know of one session. Its precision is resolved.
type job struct {
	cfg      Config
	parallel int // runs at once
	shapes   *ShapeRange
}

const (
	needsNVIDIA   = "install the GPU build of ONNX Runtime (PyPI onnxruntime-gpu) and NVIDIA's driver"
	needsOpenVINO = "run `make setup`, which brings the OpenVINO build of ONNX Runtime for x86-64 (PyPI onnxruntime-openvino)"
)

var (
	fp32 = arithmetic{precision: PrecisionFP32}
	fp16 = arithmetic{precision: PrecisionFP16}
	bf16 = arithmetic{precision: PrecisionBF16, missing: lacksBF16}
	tf32 = arithmetic{precision: PrecisionTF32}
)

var providers = []provider{
	{name: ProviderCPU, add: addNothing, arithmetics: []arithmetic{fp32}},
	{name: ProviderOpenVINO, add: addOpenVINO, arithmetics: []arithmetic{bf16, fp32}, needs: needsOpenVINO},
	{name: ProviderCUDA, add: addCUDA, arithmetics: []arithmetic{tf32, fp32}, needs: needsNVIDIA},
	{name: ProviderTensorRT, add: addTensorRT, arithmetics: []arithmetic{fp16, fp32}, needs: needsNVIDIA},
}

// addNothing is for the CPU, which ONNX Runtime always has.
func addNothing(*ort.SessionOptions, job) error { return nil }

func providerNames() []string {
	names := []string{string(ProviderAuto)}
	for _, p := range providers {
		names = append(names, string(p.name))
	}
	return names
}

// lookup finds a provider's row; that of auto is OpenVINO's, because auto differs from the
// plain CPU provider only where it takes OpenVINO.
func lookup(name Provider) (provider, bool) {
	if name == ProviderAuto {
		name = ProviderOpenVINO
	}
	for _, p := range providers {
		if p.name == name {
			return p, true
		}
	}
	return provider{}, false
}

// rowOf is the name of a provider's row.
func rowOf(name Provider) Provider {
	p, _ := lookup(name)
	return p.name
}

// providerOf finds the row of a name that Config.Validate has accepted.
func providerOf(name Provider) provider {
	p, known := lookup(name)
	if !known {
		panic("onnx: provider " + string(name) + " was not validated")
	}
	return p
}

// failed says what to do about a provider that cannot be used here.
func (p provider) failed(err error) error {
	return fmt.Errorf("%w: %s: %w; %s, point onnx.library or %s at it, or set onnx.provider to cpu",
		ErrProvider, p.name, err, p.needs, LibraryEnv)
}

func addCUDA(options *ort.SessionOptions, j job) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = cuda.Destroy() }()
	if err := cuda.Update(cudaSettings(j.cfg)); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

// cudaSettings is for TensorRT's sessions too, whose float16 leaves the rest to TF32.
func cudaSettings(cfg Config) map[string]string {
	settings := map[string]string{"device_id": strconv.Itoa(cfg.DeviceID), "use_tf32": "1"}
	if cfg.Precision == PrecisionFP32 {
		settings["use_tf32"] = "0"
	}
	return settings
}
