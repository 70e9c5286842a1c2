package onnx

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	cases := map[string]func(*Config){
		"provider: \"tpu\"":     func(c *Config) { c.Provider = "tpu" },
		"precision: \"int4\"":   func(c *Config) { c.Precision = "int4" },
		"device_id: -1":         func(c *Config) { c.DeviceID = -1 },
		"intra_op_threads: 257": func(c *Config) { c.IntraOpThreads = 257 },
		"inter_op_threads: -1":  func(c *Config) { c.InterOpThreads = -1 },
	}
	for want, change := range cases {
		cfg := DefaultConfig()
		change(&cfg)
		err := cfg.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Validate() = %v, want it to begin with %s", err, want)
		}
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	err := Config{Provider: "tpu", Precision: "int4", DeviceID: -1, IntraOpThreads: -1, InterOpThreads: 257}.Validate()
	for _, want := range []string{
		`provider: "tpu" is not one of auto, cpu, openvino, cuda, tensorrt`, `precision: "int4" is not one of auto, fp32, bf16, fp16`, "device_id: -1", "intra_op_threads: -1", "inter_op_threads: 257",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q in it", err, want)
		}
	}
}

// The comment is copied to configs/liveproof.yaml.
func TestCommentOfProviderNamesAll(t *testing.T) {
	source, err := os.ReadFile("config.go")
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(source), "\tProvider Provider `yaml:")
	comment := before[strings.LastIndex(before, "\n\t// Provider is"):]
	for _, name := range providerNames() {
		if !found || !strings.Contains(comment, name) {
			t.Errorf("the comment %q does not name %s", comment, name)
		}
	}
}

func TestSessionOptionsReplaceOnlyWhatIsSet(t *testing.T) {
	cfg := DefaultConfig()
	got := SessionOptions{IntraOpThreads: 3}.apply(cfg)
	want := cfg
	want.IntraOpThreads = 3
	if got != want {
		t.Fatalf("apply = %+v, want %+v", got, want)
	}
}

func TestCUDASettings(t *testing.T) {
	cfg := DefaultConfig()
	cfg.DeviceID = 3
	for precision, want := range map[Precision]string{PrecisionTF32: "1", PrecisionFP16: "1", PrecisionFP32: "0"} {
		cfg.Precision = precision
		if got := cudaSettings(cfg); !maps.Equal(got, map[string]string{"device_id": "3", "use_tf32": want}) {
			t.Errorf("precision %v: settings %v", precision, got)
		}
	}
}

func TestTensorRTSettings(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Precision = PrecisionFP16
	cfg.TensorRTCacheDir = filepath.Join(t.TempDir(), "engines")
	got, err := tensorRTSettings(cfg, &ShapeRange{
		Input: "faces", Min: []int64{1, 224, 224, 3}, Opt: []int64{4, 224, 224, 3}, Max: []int64{8, 224, 224, 3},
	})
	want := map[string]string{
		"device_id": "0", "trt_fp16_enable": "1",
		"trt_engine_cache_enable": "1", "trt_engine_cache_path": cfg.TensorRTCacheDir,
		"trt_timing_cache_enable": "1", "trt_timing_cache_path": cfg.TensorRTCacheDir,
		"trt_profile_min_shapes": "faces:1x224x224x3",
		"trt_profile_opt_shapes": "faces:4x224x224x3",
		"trt_profile_max_shapes": "faces:8x224x224x3",
	}
	if err != nil || !maps.Equal(got, want) {
		t.Fatalf("settings = %v, %v", got, err)
	}
	cfg.TensorRTCacheDir = filepath.Join("config_test.go", "below-a-file")
	if _, err := tensorRTSettings(cfg, nil); err == nil || !strings.HasPrefix(err.Error(), "tensorrt_cache_dir") {
		t.Fatalf("unusable cache directory: %v", err)
	}
}
