package liveproof_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestInjectionOf(t *testing.T) {
	for name, c := range map[string]struct {
		signals map[string]float64
		want    liveproof.Injection
		ok      bool
	}{
		"nothing":            {nil, liveproof.Injection{}, false},
		"other signals":      {map[string]float64{"injection.noise": 3, "motion.x": 1}, liveproof.Injection{}, false},
		"the strongest":      {map[string]float64{"injection.risk.a": 0.2, "injection.risk.b": 0.7, "injection.grid": 1}, liveproof.Injection{Risk: 0.7, Signal: "b"}, true},
		"a tie":              {map[string]float64{"injection.risk.b": 0.7, "injection.risk.a": 0.7}, liveproof.Injection{Risk: 0.7, Signal: "a"}, true},
		"no risk":            {map[string]float64{"injection.risk.a": 0}, liveproof.Injection{}, true},
		"what is not in 0…1": {map[string]float64{"injection.risk.a": math.NaN(), "injection.risk.b": 2, "injection.risk.c": -1}, liveproof.Injection{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := liveproof.InjectionOf(c.signals)
			require.Equal(t, c.want, got)
			require.Equal(t, c.ok, ok)
		})
	}
}

// TestVerdictKeepsItsInjection: the record has it, and records of earlier versions read as none.
func TestVerdictKeepsItsInjection(t *testing.T) {
	v := liveproof.Inconclusive(liveproof.ReasonInjectionSuspected)
	v.Injection = liveproof.Injection{Risk: 0.9, Signal: "repeats"}
	b, err := json.Marshal(v)
	require.NoError(t, err)
	var read liveproof.Verdict
	require.NoError(t, json.Unmarshal(b, &read))
	require.True(t, v.Equal(read))
	require.False(t, v.Equal(liveproof.Inconclusive(liveproof.ReasonInjectionSuspected)))
	b, err = json.Marshal(liveproof.Pending())
	require.NoError(t, err)
	require.NotContains(t, string(b), "injection")
}
