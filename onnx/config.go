package onnx

import (
	"errors"

	"github.com/liveproof/liveproof/internal/check"
)

const maxThreads = 256

// Config is what all sessions of a process share.
type Config struct {
	// Library is the path of ONNX Runtime's shared library. Empty: the first of
	// $LIVEPROOF_ONNXRUNTIME, lib/ beside or above the program, .cache/onnxruntime
	// of the checkout, the system's library directories.
	Library string `yaml:"library"`
	// Provider is what runs the networks: cpu, cuda or tensorrt.
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
	// CUDATF32 lets CUDA round the inputs of float32 products to TF32's 10 bits of
	// mantissa: faster, and scores move a little.
	CUDATF32 bool `yaml:"cuda_tf32"`
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
		CUDATF32:         true,
		TensorRTCacheDir: ".cache/tensorrt",
		TensorRTFP16:     true,
	}
}

// Validate reports every value out of range; each message begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.OneOf("provider", string(c.Provider), providerNames()...),
		check.AtLeast("device_id", c.DeviceID, 0),
		check.In("intra_op_threads", c.IntraOpThreads, 0, maxThreads),
		check.In("inter_op_threads", c.InterOpThreads, 0, maxThreads))
}
