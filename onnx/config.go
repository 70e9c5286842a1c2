package onnx

import (
	"errors"
	"fmt"
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

const maxThreads = 256

// Config is what all sessions of a process share.
type Config struct {
	// Library is the path of ONNX Runtime's shared library. Empty: looked for,
	// see Open.
	Library string `yaml:"library"`
	// Provider is cpu, cuda or tensorrt.
	Provider Provider `yaml:"provider"`
	// DeviceID is the GPU, from 0; without meaning on the CPU.
	DeviceID int `yaml:"device_id"`
	// IntraOpThreads is the number of threads inside one operator of one
	// session, 1…256; 0 leaves it to ONNX Runtime (one per core).
	IntraOpThreads int `yaml:"intra_op_threads"`
	// InterOpThreads is the number of operators run at once, 1…256; 0 leaves it to
	// ONNX Runtime. Only networks with branches profit.
	InterOpThreads int `yaml:"inter_op_threads"`
	// AllowSpinning lets idle worker threads burn their core while they wait
	// for work: a little less latency, much more CPU time.
	AllowSpinning bool `yaml:"allow_spinning"`
	// TensorRTCacheDir keeps built TensorRT engines between starts, because
	// building one takes minutes. Empty: built at every start.
	TensorRTCacheDir string `yaml:"tensorrt_cache_dir"`
	// TensorRTFP16 lets TensorRT compute in half precision.
	TensorRTFP16 bool `yaml:"tensorrt_fp16"`
}

// DefaultConfig runs on the CPU, each network on one thread.
func DefaultConfig() Config {
	return Config{
		Provider:         ProviderCPU,
		IntraOpThreads:   1,
		InterOpThreads:   1,
		TensorRTCacheDir: ".cache/tensorrt",
		TensorRTFP16:     true,
	}
}

// Validate reports every value out of range; each message begins with its key.
func (c Config) Validate() error {
	var errs []error
	switch c.Provider {
	case ProviderCPU, ProviderCUDA, ProviderTensorRT:
	default:
		errs = append(errs, fmt.Errorf("provider: %q is not one of cpu, cuda, tensorrt", c.Provider))
	}
	if c.DeviceID < 0 {
		errs = append(errs, fmt.Errorf("device_id: %d is out of range [0, …)", c.DeviceID))
	}
	errs = append(errs,
		validateThreads("intra_op_threads", c.IntraOpThreads),
		validateThreads("inter_op_threads", c.InterOpThreads))
	return errors.Join(errs...)
}

func validateThreads(key string, n int) error {
	if n < 0 || n > maxThreads {
		return fmt.Errorf("%s: %d is out of range [0, %d]", key, n, maxThreads)
	}
	return nil
}
