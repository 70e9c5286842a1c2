package onnx

import (
	"strings"
	"testing"
)

func TestResolvePrecision(t *testing.T) {
	without := arithmetic{PrecisionBF16, func() string { return "no bf16 here" }}
	with := arithmetic{precision: PrecisionBF16}
	cases := []struct {
		has    []arithmetic
		wanted Precision
		want   Precision
		err    string
	}{
		{[]arithmetic{with, fp32}, PrecisionAuto, PrecisionBF16, ""},
		{[]arithmetic{without, fp32}, PrecisionAuto, PrecisionFP32, ""},
		{[]arithmetic{with, fp32}, PrecisionFP32, PrecisionFP32, ""},
		{[]arithmetic{without, fp32}, PrecisionBF16, "", "precision: bf16: no bf16 here"},
		{[]arithmetic{fp16, fp32}, PrecisionAuto, PrecisionFP16, ""},
		{providerOf(ProviderCUDA).arithmetics, PrecisionAuto, PrecisionTF32, ""},
		{[]arithmetic{fp32}, PrecisionFP16, "", `does not compute in "fp16", it has auto, fp32`},
	}
	for _, c := range cases {
		got, err := provider{name: "p", arithmetics: c.has}.resolve(c.wanted)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, %s: resolve = %q, %v; want %q, %q", c.has, c.wanted, got, err, c.want, c.err)
		}
	}
}

func TestValidateProviderWithPrecision(t *testing.T) {
	cases := map[string]struct {
		provider  Provider
		precision Precision
		want      string
	}{
		"auto":          {ProviderAuto, PrecisionAuto, ""},
		"auto in bf16":  {ProviderAuto, PrecisionBF16, ""},
		"openvino bf16": {ProviderOpenVINO, PrecisionBF16, ""},
		"tensorrt fp16": {ProviderTensorRT, PrecisionFP16, ""},
		"cpu bf16":      {ProviderCPU, PrecisionBF16, `precision: cpu does not compute in "bf16", it has auto, fp32`},
		"cuda tf32":     {ProviderCUDA, PrecisionTF32, ""},
		"cpu tf32":      {ProviderCPU, PrecisionTF32, `precision: cpu does not compute in "tf32", it has auto, fp32`},
		"cuda fp16":     {ProviderCUDA, PrecisionFP16, `precision: cuda does not compute in "fp16", it has auto, tf32, fp32`},
		"openvino fp16": {ProviderOpenVINO, PrecisionFP16, `precision: openvino does not compute in "fp16", it has auto, bf16, fp32`},
		"tensorrt bf16": {ProviderTensorRT, PrecisionBF16, `precision: tensorrt does not compute in "bf16", it has auto, fp16, fp32`},
	}
	for name, c := range cases {
		cfg := DefaultConfig()
		cfg.Provider, cfg.Precision = c.provider, c.precision
		err := cfg.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A session with a provider of its own does not get the precision that was configured for another.
func TestPrecisionGoesWithItsProvider(t *testing.T) {
	cases := []struct {
		configured Provider
		own        Provider
		want       Precision
	}{
		{ProviderTensorRT, "", PrecisionFP32},
		{ProviderTensorRT, ProviderTensorRT, PrecisionFP32},
		{ProviderTensorRT, ProviderCPU, PrecisionAuto},
		{ProviderAuto, ProviderOpenVINO, PrecisionFP32}, // auto's precision is OpenVINO's
		{ProviderAuto, ProviderCPU, PrecisionAuto},
	}
	for _, c := range cases {
		cfg := DefaultConfig()
		cfg.Provider, cfg.Precision = c.configured, PrecisionFP32
		if got := (SessionOptions{Provider: c.own}).apply(cfg).Precision; got != c.want {
			t.Errorf("%s with own %q: precision %q, want %q", c.configured, c.own, got, c.want)
		}
	}
}
