package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
)

// TestThresholdsWhileAModelIsReplaced: a session on either side of the replacement is judged by its own model's calibration.
func TestThresholdsWhileAModelIsReplaced(t *testing.T) {
	model := func(sum string) liveproof.ModelInfo {
		return liveproof.ModelInfo{Name: sum, SHA256: strings.Repeat(sum, 64), Threshold: 0.5}
	}
	rules := func(sum string, theta float64) calibration.Rules {
		c := calibration.Calibration{Name: sum, Threshold: theta, Model: calibration.Model{SHA256: strings.Repeat(sum, 64)}, SHA256: sum}
		return calibration.Rules{Default: &c, Requests: map[string]calibration.Calibration{sum: c}}
	}
	var ts thresholds
	ts.add(rules("a", 0.1))
	value := func(m liveproof.ModelInfo) float64 {
		got, err := ts.of(liveproof.Session{}, m)
		require.NoError(t, err)
		return got.Value
	}
	both := func(err error) func() error {
		return func() error {
			require.InDelta(t, 0.1, value(model("a")), 0)
			require.InDelta(t, 0.2, value(model("b")), 0)
			return err
		}
	}
	failed := errors.New("the model is broken")
	require.ErrorIs(t, ts.replace(rules("b", 0.2), both(failed)), failed)
	require.InDelta(t, 0.1, value(model("a")), 0)
	_, err := ts.of(liveproof.Session{}, model("b"))
	require.ErrorIs(t, err, calibration.ErrOtherModel, "what was not put in place does not judge")
	require.Equal(t, []string{"a"}, ts.names())

	require.NoError(t, ts.replace(rules("b", 0.2), both(nil)))
	require.InDelta(t, 0.2, value(model("b")), 0)
	_, err = ts.of(liveproof.Session{}, model("a"))
	require.ErrorIs(t, err, calibration.ErrOtherModel)
	require.Equal(t, []string{"b"}, ts.names())

	require.NoError(t, ts.replace(rules("b", 0.3), func() error { return nil }), "the same model with another calibration")
	require.InDelta(t, 0.3, value(model("b")), 0)
}
