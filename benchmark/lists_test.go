package benchmark

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzLists(f *testing.F) {
	f.Add([]byte("+1,1_1_01_1\r\n-2,1_1_01_4"))
	f.Add([]byte("02\r\n03"))
	f.Add([]byte("4/2/4"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseLabelledList(bytes.NewReader(data))
		for _, e := range entries {
			if err == nil && (e.Label == 0 || e.Name == "" || e.Line < 1) {
				t.Errorf("%q gives %+v", data, e)
			}
		}
		if ids, err := parseSubjects(bytes.NewReader(data)); err == nil {
			for _, id := range ids {
				if id < 0 {
					t.Errorf("%q gives %d", data, id)
				}
			}
		}
		_, _ = planned(bytes.NewReader(data), "oulu")
		_, _ = readVideos(bytes.NewReader(data))
		if counts, err := ParseSubjectCounts(string(data)); err == nil && len(data) > 0 {
			require.NoError(t, LayoutOptions{Subjects: counts, Every: 1, Scale: 1}.Validate(), "%q", data)
		}
	})
}
