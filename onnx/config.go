package onnx

import (
	"errors"
	"slices"

	"github.com/liveproof/liveproof/internal/check"
)

const maxThreads = 256

// Config is what all sessions of a process share.
type Config struct {
	// Library is the path of ONNX Runtime's shared library. Empty: the first of
	// $LIVEPROOF_ONNXRUNTIME, lib/ beside or above the program, .cache/onnxruntime
	// of the checkout, the system's library directories.
	Library string `yaml:"library"`
	// Provider is what runs the networks: auto, cpu, openvino, cuda or tensorrt. auto
	// decides for each network at load: OpenVINO where it is installed, runs the network
	// clearly faster on this machine than the plain CPU provider, and agrees with it; else cpu.
	Provider Provider `yaml:"provider"`
	// Precision is the networks' arithmetic: auto, fp32, bf16 (openvino), tf32 (cuda) or fp16
	// (tensorrt). auto is bf16 on OpenVINO where the CPU has it, tf32 on CUDA, fp16 on TensorRT,
	// else fp32. tf32 is float32 whose products round their inputs to 10 bits of mantissa. The
	// layers of an int8 file stay int8.
	Precision Precision `yaml:"precision"`
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
}

// DefaultConfig runs on the CPU with its fastest provider, each network on one thread.
func DefaultConfig() Config {
	return Config{
		Provider:         ProviderAuto,
		Precision:        PrecisionAuto,
		IntraOpThreads:   1,
		InterOpThreads:   1,
		TensorRTCacheDir: ".cache/tensorrt",
	}
}

// Validate reports every value out of range; each message begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.OneOf("provider", string(c.Provider), providerNames()...),
		check.OneOf("precision", string(c.Precision), precisionNames()...),
		c.validateTogether(),
		check.AtLeast("device_id", c.DeviceID, 0),
		check.In("intra_op_threads", c.IntraOpThreads, 0, maxThreads),
		check.In("inter_op_threads", c.InterOpThreads, 0, maxThreads))
}

// validateTogether checks that the provider has the precision on some machine; whether on
// this one is known at load.
func (c Config) validateTogether() error {
	p, known := lookup(c.Provider)
	if !known || p.has(c.Precision) || !slices.Contains(precisionNames(), string(c.Precision)) {
		return nil
	}
	return p.noPrecision(c.Precision)
}
