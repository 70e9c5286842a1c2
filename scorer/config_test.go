package scorer

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/liveproof/liveproof/onnx"
	"go.yaml.in/yaml/v3"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	cases := map[string]func(*Config){
		"model: is empty":           func(c *Config) { c.Model = "" },
		"model_sha256: \"x\"":       func(c *Config) { c.ModelSHA256 = "x" },
		"max_batch: 0":              func(c *Config) { c.MaxBatch = 0 },
		"max_batch: 257":            func(c *Config) { c.MaxBatch = 257 },
		"max_wait: -1ns":            func(c *Config) { c.MaxWait = -1 },
		"queue_capacity: 0":         func(c *Config) { c.QueueCapacity, c.PerSession = 0, 0 },
		"per_session: 257":          func(c *Config) { c.PerSession = 257 },
		"workers: 65":               func(c *Config) { c.Workers = 65 },
		"intra_op_threads: -1":      func(c *Config) { c.IntraOpThreads = -1 },
		"batch_timeout: 1ms":        func(c *Config) { c.BatchTimeout = time.Millisecond },
		"admit_wait: 0s":            func(c *Config) { c.AdmitWait = 0 },
		"failure_threshold: 0":      func(c *Config) { c.FailureThreshold = 0 },
		"probe_interval: 0s is out": func(c *Config) { c.ProbeInterval = 0 },
	}
	for want, change := range cases {
		cfg := DefaultConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Validate() = %v, want it to begin with %q", err, want)
		}
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	err := Config{ModelSHA256: "x", MaxWait: -1, PerSession: 1, Workers: -1, IntraOpThreads: -1}.Validate()
	for _, key := range []string{
		"model", "model_sha256", "max_batch", "max_wait", "queue_capacity", "per_session", "workers",
		"intra_op_threads", "batch_timeout", "admit_wait", "failure_threshold", "probe_interval",
	} {
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+key+": ") {
			t.Errorf("Validate() = %v, want %s in it", err, key)
		}
	}
}

func TestWorkersFollowTheProvider(t *testing.T) {
	auto, own := Config{}, Config{Workers: 3}
	for _, p := range []onnx.Provider{onnx.ProviderAuto, onnx.ProviderCPU, onnx.ProviderOpenVINO} {
		if n := auto.workersOn(p); n != min(runtime.GOMAXPROCS(0), 16) {
			t.Errorf("auto on the CPU with %s: %d", p, n)
		}
	}
	if n := auto.workersOn(onnx.ProviderCUDA); n != 3 {
		t.Errorf("auto on a GPU: %d", n)
	}
	if n := own.workersOn(onnx.ProviderCPU); n != 3 {
		t.Errorf("configured: %d", n)
	}
}

func TestConfigReadsYAML(t *testing.T) {
	cfg := DefaultConfig()
	text := "max_batch: 16\nmax_wait: 7ms\nper_session: 3\n"
	if err := yaml.Unmarshal([]byte(text), &cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.MaxBatch != 16 || cfg.MaxWait != 7*time.Millisecond || cfg.PerSession != 3 || cfg.Workers != DefaultConfig().Workers {
		t.Fatalf("cfg = %+v", cfg)
	}
}
