package check_test

import (
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/check"
)

func TestRanges(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // "" is in range
	}{
		"in, low end":         {check.In("n", 1, 1, 8), ""},
		"in, high end":        {check.In("n", 8, 1, 8), ""},
		"in, below":           {check.In("n", 0, 1, 8), "n: 0 is out of range [1, 8]"},
		"in, NaN":             {check.In("x", math.NaN(), 0, 1), "x: NaN is out of range [0, 1]"},
		"in, duration":        {check.In("t", 2*time.Minute, 0, time.Minute), "t: 2m0s is out of range [0s, 1m0s]"},
		"above, at the bound": {check.Above("x", 0.0, 0, 60), "x: 0 is out of range (0, 60]"},
		"above, high end":     {check.Above("x", 60.0, 0, 60), ""},
		"above, NaN":          {check.Above("x", math.NaN(), 0, 60), "x: NaN is out of range (0, 60]"},
		"between, high end":   {check.Between("x", 1.0, 0, 1), "x: 1 is out of range (0, 1)"},
		"between, inside":     {check.Between("x", 0.5, 0, 1), ""},
		"at least, below":     {check.AtLeast("n", 0, 1), "n: 0 is out of range [1, ∞)"},
		"at least, at":        {check.AtLeast("n", 1, 1), ""},
		"at least, NaN":       {check.AtLeast("x", math.NaN(), 0), "x: NaN is out of range [0, ∞)"},
		"one of":              {check.OneOf("f", "xml", "text", "json"), `f: "xml" is not one of text, json`},
		"one of, there":       {check.OneOf("f", "json", "text", "json"), ""},
		"that":                {check.That("size", false, "%d is not a multiple of %d", 33, 32), "size: 33 is not a multiple of 32"},
		"that, holds":         {check.That("size", true, "never seen"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" {
				require.NoError(t, c.err)
				return
			}
			require.EqualError(t, c.err, c.want)
		})
	}
}

func TestPrefixComesBeforeEachError(t *testing.T) {
	wrong := errors.Join(check.In("jobs", 0, 1, 8), nil, check.Prefix("track.", errors.Join(check.AtLeast("missed", -1, 0))))
	require.EqualError(t, check.Prefix("--", wrong), "--jobs: 0 is out of range [1, 8]\n--track.missed: -1 is out of range [0, ∞)")
	require.NoError(t, check.Prefix("--", errors.Join(nil)))
	require.ErrorIs(t, check.Prefix("media.", errors.Join(io.EOF)), io.EOF)
}
