package benchmark

import (
	"bytes"
	"testing"
)

func FuzzLists(f *testing.F) {
	f.Add([]byte("+1,1_1_01_1\r\n-2,1_1_01_4"))
	f.Add([]byte("02\r\n03"))
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
	})
}
