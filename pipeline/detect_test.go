package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDetectorIsToldTheTime: the detector decides by the samples' stream time when to
// search a whole picture.
func TestDetectorIsToldTheTime(t *testing.T) {
	r := fileRig(t, play(31, 30))
	var told []time.Duration
	r.models.asked = func(at time.Duration, _ bool) { told = append(told, at) }
	_, err := r.run(t.Context())
	require.NoError(t, err)
	var want []time.Duration
	for _, s := range r.timeline() {
		want = append(want, s.T)
	}
	require.Len(t, want, 6)
	require.Equal(t, want, told)
}
