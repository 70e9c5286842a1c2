package cost

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCosts(t *testing.T) {
	for records, want := range map[int]int{0: 1, 1: 1, 20: 1, 21: 2, 500: 25} {
		require.Equal(t, want, Records(records), records)
	}
	for samples, want := range map[int]int{0: 1, 500: 1, 501: 2, 27000: 54} {
		require.Equal(t, want, Samples(samples), samples)
	}
}
