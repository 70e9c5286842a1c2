package benchmark

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPlan: any bytes give the identities of one dataset or an error; a plan that was written is read back.
func FuzzPlan(f *testing.F) {
	var good bytes.Buffer
	require.NoError(f, WritePlan(&good, []Plan{{Video: Video{ID: "a/b", Dataset: "toy"}, Path: "a/b.avi", Width: 640, Height: 480, Rate: 25}}))
	f.Add(good.Bytes(), "toy")
	f.Add([]byte("dataset,video\ntoy,x\n\"toy\n"), "toy")
	f.Add([]byte("video,dataset,dataset\nx,toy"), "")
	f.Fuzz(func(t *testing.T, data []byte, dataset string) {
		ids, err := planned(bytes.NewReader(data), dataset)
		if err != nil && len(ids) > 0 {
			t.Fatal("an error, and identities")
		}
		for id := range ids {
			if !bytes.Contains(data, []byte(strings.SplitN(id, `"`, 2)[0])) && !strings.ContainsAny(id, "\n") {
				t.Fatalf("%q is not in the plan", id)
			}
		}
		if id := string(data); !strings.ContainsAny(id+dataset, "\r") {
			var out bytes.Buffer
			require.NoError(t, WritePlan(&out, []Plan{{Video: Video{ID: id, Dataset: dataset}}}))
			again, err := planned(&out, dataset)
			require.NoError(t, err)
			require.True(t, again[id])
		}
	})
}

// FuzzRecord: any bytes give a record of this very video, whose crops lie in its folder, or an error.
func FuzzRecord(f *testing.F) {
	good, err := json.Marshal(Record{Video: Video{ID: "a/b"}, Status: StatusOK, Crops: []Crop{{File: "crops/a/b/000001.png", Bytes: 9}}})
	require.NoError(f, err)
	f.Add(good)
	for _, s := range []string{"null", "{}", `{"video":"a/b","status":"ok","crops":null}`} {
		f.Add([]byte(s))
	}
	f.Add(bytes.Replace(good, []byte("crops/a/b"), []byte("crops/a/b/../../../.."), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecord(data, "a/b")
		if err != nil {
			require.Empty(t, r.Crops)
			return
		}
		require.Equal(t, "a/b", r.ID)
		root := t.TempDir()
		for _, c := range r.Crops {
			inside, err := filepath.Rel(filepath.Join(root, "crops", "a", "b"), filepath.Join(root, filepath.FromSlash(c.File)))
			require.NoError(t, err)
			require.True(t, filepath.IsLocal(inside), "%q", c.File)
		}
		r.Whole(root)
		require.NoError(t, WriteManifest(new(bytes.Buffer), []Record{r}))
	})
}

// FuzzManifest: any bytes give videos, each once, or an error.
func FuzzManifest(f *testing.F) {
	var good bytes.Buffer
	require.NoError(f, WriteManifest(&good, []Record{{Video: Video{ID: "a", Dataset: "toy"}, Crops: []Crop{{File: "crops/a/1.png"}, {File: "crops/a/2.png"}}}}))
	f.Add(good.Bytes())
	f.Add([]byte("dataset,video,split,subject,session,camera,pai,instrument\na,b,c,d,e,f,g\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		videos, err := readVideos(bytes.NewReader(data))
		if err != nil {
			require.Empty(t, videos)
		}
		seen := map[[2]string]bool{}
		for _, v := range videos {
			require.False(t, seen[[2]string{v.Dataset, v.ID}])
			seen[[2]string{v.Dataset, v.ID}] = true
		}
	})
}
