package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// bitrate is a flag in bit/s, written as 1500000, 1500k or 1.5M.
type bitrate int

// Set implements pflag.Value.
func (b *bitrate) Set(text string) error {
	number, factor := text, 1.
	for suffix, f := range map[string]float64{"k": 1e3, "M": 1e6} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, factor = n, f
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v*factor <= math.MaxInt32) {
		return fmt.Errorf("%q is not a bitrate such as 500k, 1.5M or 1500000 (bit/s)", text)
	}
	*b = bitrate(math.Round(v * factor))
	return nil
}

// String implements pflag.Value.
func (b *bitrate) String() string {
	switch v := int(*b); {
	case v != 0 && v%1_000_000 == 0:
		return strconv.Itoa(v/1_000_000) + "M"
	case v != 0 && v%1000 == 0:
		return strconv.Itoa(v/1000) + "k"
	default:
		return strconv.Itoa(v)
	}
}

// Type implements pflag.Value.
func (*bitrate) Type() string { return "bitrate" }
