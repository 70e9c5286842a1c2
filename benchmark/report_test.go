package benchmark

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A note that 82 videos share takes one line, so that what follows is seen.
func TestNotesOnManyVideosAreSummedUp(t *testing.T) {
	r := Report{Notes: []Note{{"first", "has 5 frames only"}}, Crops: 7}
	for i := range 82 {
		r.Notes = append(r.Notes, Note{fmt.Sprintf("v%d", i), "has 6 frames only"})
	}
	r.Notes = append(r.Notes, Note{"last", "has 5 frames only"})
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	_, notes, _ := strings.Cut(text.String(), "MEAN SCORE\n")
	require.Equal(t, `note on first, last: has 5 frames only
note on 82 videos: has 6 frames only (v0, v1, v2, …; report.json names all)
7 crops, 0.0 MB
`, notes)
}
