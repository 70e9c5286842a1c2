package onnx

import (
	"encoding/json"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"
)

func addOpenVINO(options *ort.SessionOptions, j job) error {
	settings, err := openVINOSettings(j)
	if err != nil {
		return err
	}
	shared.keep()
	return options.AppendExecutionProviderOpenVINO(settings)
}

// openVINOSettings are the provider's options; load_config is OpenVINO's own configuration
// as JSON text. A network can run as many times at once as it has streams; further runs
// wait.
func openVINOSettings(j job) (map[string]string, error) {
	streams := max(1, j.parallel)
	device := map[string]string{
		"NUM_STREAMS":              strconv.Itoa(streams),
		"INFERENCE_PRECISION_HINT": openVINOType(j.cfg.Precision),
		// The pinned threads of two networks would share one core and leave another idle.
		"ENABLE_CPU_PINNING": "NO",
	}
	if j.cfg.IntraOpThreads > 0 { // OpenVINO counts the threads of all streams together
		device["INFERENCE_NUM_THREADS"] = strconv.Itoa(streams * j.cfg.IntraOpThreads)
	}
	config, err := json.Marshal(map[string]any{"CPU": device})
	if err != nil {
		return nil, err
	}
	return map[string]string{"device_type": "CPU", "load_config": string(config)}, nil
}

func openVINOType(p Precision) string {
	if p == PrecisionBF16 {
		return "bf16"
	}
	return "f32"
}
