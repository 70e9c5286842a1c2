package onnx

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

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

// addTensorRT adds CUDA too: operators that TensorRT lacks run on CUDA rather than on the
// CPU.
func addTensorRT(options *ort.SessionOptions, j job) error {
	rt, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = rt.Destroy() }()
	settings, err := tensorRTSettings(j.cfg, j.shapes)
	if err != nil {
		return err
	}
	if err := rt.Update(settings); err != nil {
		return err
	}
	if err := options.AppendExecutionProviderTensorRT(rt); err != nil {
		return err
	}
	return addCUDA(options, j)
}

func tensorRTSettings(cfg Config, shapes *ShapeRange) (map[string]string, error) {
	settings := map[string]string{"device_id": strconv.Itoa(cfg.DeviceID)}
	if cfg.Precision == PrecisionFP16 {
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
