package onnx

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// Precision is the arithmetic of a network's run. How the file stores its weights is
// another matter: int8 layers stay int8 in every precision.
type Precision string

// The precisions. Auto takes the fastest that the provider has on this machine.
const (
	PrecisionAuto Precision = "auto"
	PrecisionFP32 Precision = "fp32"
	PrecisionBF16 Precision = "bf16"
	PrecisionFP16 Precision = "fp16"
	// PrecisionTF32 is float32 whose products round their inputs to 10 bits of mantissa.
	PrecisionTF32 Precision = "tf32"
)

func precisionNames() []string { return []string{"auto", "fp32", "bf16", "fp16", "tf32"} }

// computesBF16 reports whether the CPU has bf16 arithmetic (AVX-512 BF16 or AMX). Without it
// OpenVINO would emulate bf16, slower than float32.
func computesBF16() bool { return cpu.X86.HasAVX512BF16 || cpu.X86.HasAMXBF16 }

// arithmetic is one precision of a provider.
type arithmetic struct {
	precision Precision
	// missing says what the machine lacks for it; nil or "": nothing.
	missing func() string
}

func (a arithmetic) lacks() string {
	if a.missing == nil {
		return ""
	}
	return a.missing()
}

func lacksBF16() string {
	if computesBF16() {
		return ""
	}
	return "this CPU has no bf16 arithmetic (AVX-512 BF16 or AMX)"
}

// resolve turns auto into the first precision of the provider that the machine has, and
// refuses one that it has not.
func (p provider) resolve(wanted Precision) (Precision, error) {
	for _, a := range p.arithmetics {
		lacks := a.lacks()
		if wanted == PrecisionAuto && lacks == "" {
			return a.precision, nil
		}
		if wanted == a.precision && lacks != "" {
			return "", fmt.Errorf("precision: %s: %s", wanted, lacks)
		}
		if wanted == a.precision {
			return wanted, nil
		}
	}
	return "", p.noPrecision(wanted)
}

// has reports whether the provider knows a precision, on whatever machine.
func (p provider) has(wanted Precision) bool {
	return wanted == PrecisionAuto || slices.ContainsFunc(p.arithmetics, func(a arithmetic) bool { return a.precision == wanted })
}

func (p provider) noPrecision(wanted Precision) error {
	names := []string{string(PrecisionAuto)}
	for _, a := range p.arithmetics {
		names = append(names, string(a.precision))
	}
	return fmt.Errorf("precision: %s does not compute in %q, it has %s", p.name, wanted, strings.Join(names, ", "))
}

// Execution is what runs a session.
type Execution struct {
	Provider  Provider
	Precision Precision
}

// String is "openvino bf16", for messages.
func (e Execution) String() string {
	return string(e.Provider) + " " + string(cmp.Or(e.Precision, PrecisionFP32))
}
