package injection

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// knowing is a source that knows all that a source may know.
type knowing struct{ asked map[string]int }

func (k knowing) Next(context.Context) (liveproof.AccessUnit, error) {
	return liveproof.AccessUnit{}, nil
}
func (k knowing) RequestKeyFrame()                 {}
func (k knowing) PreferLarger()                    { k.asked["larger"]++ }
func (k knowing) Reduced() bool                    { return true }
func (k knowing) PreferFiner()                     { k.asked["finer"]++ }
func (k knowing) Withheld() int64                  { return 7 }
func (k knowing) Declined(id string) bool          { return id == "declined" }
func (k knowing) RoundTrip() (time.Duration, bool) { return 80 * time.Millisecond, true }

// plain is a source that knows nothing.
type plain struct{ liveproof.UnitSource }

// TestWhatASourceKnowsIsPassedOn: the pipeline asks the watched source, never the one behind it.
func TestWhatASourceKnowsIsPassedOn(t *testing.T) {
	k := knowing{map[string]int{}}
	all := units{UnitSource: k}
	all.PreferLarger()
	all.PreferFiner()
	require.Equal(t, map[string]int{"larger": 1, "finer": 1}, k.asked)
	require.True(t, all.Reduced())
	require.EqualValues(t, 7, all.Withheld())
	far, known := all.RoundTrip()
	require.True(t, known)
	require.Equal(t, 80*time.Millisecond, far)
	require.True(t, all.Declined("declined"))
	require.False(t, all.Declined("another"))

	none := units{UnitSource: plain{}}
	none.PreferLarger()
	none.PreferFiner()
	require.False(t, none.Reduced())
	require.Zero(t, none.Withheld())
	_, known = none.RoundTrip()
	require.False(t, known)
	require.False(t, none.Declined(""))
}
