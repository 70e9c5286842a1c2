package onnx

import (
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

func TestSessionOptionsReplaceOnlyWhatIsSet(t *testing.T) {
	cfg := DefaultConfig()
	got := SessionOptions{IntraOpThreads: 3}.apply(cfg)
	want := cfg
	want.IntraOpThreads = 3
	if got != want {
		t.Fatalf("apply = %+v, want %+v", got, want)
	}
}
