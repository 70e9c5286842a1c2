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
	// Provider is the execution provider of the networks: auto, cpu, openvino, cuda or
	// tensorrt. auto decides for each network when it is loaded: openvino if it is
	// installed, agrees with cpu (docs/model-contract.md has the limits) and is clearly
	// faster on this machine; else cpu.
	Provider Provider `yaml:"provider"`
	// Precision of the networks' arithmetic: auto, fp32, bf16 (openvino only), tf32 (cuda only) or fp16
	// (tensorrt only). auto is bf16 on openvino if the CPU has bf16 instructions, tf32 on cuda, fp16 on
	// tensorrt, else fp32. tf32 is float32 whose products round their factors to 10 bits of mantissa. The
	// int8 layers of an int8 file stay int8.
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

// DefaultConfig runs each network on one thread of the CPU, with the faster of the CPU's providers.
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

// validateTogether checks that the provider supports the precision at all. Whether this
// machine does is checked when a network is loaded.
func (c Config) validateTogether() error {
	p, known := lookup(c.Provider)
	if !known || p.has(c.Precision) || !slices.Contains(precisionNames(), string(c.Precision)) {
		return nil
	}
	return p.noPrecision(c.Precision)
}
