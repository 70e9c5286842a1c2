package benchmark

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// facts are what is published about a dataset. Its declaration is compared with
// them, and all generic code is tested with them.
type facts struct {
	counts     map[Split][2]int // attacks and bona fide videos
	subjects   int
	perSubject int               // videos
	names      []Video           // how a few identities are understood
	strangers  []string          // identities that are none of its own, although they resemble
	annotation string            // a good sidecar file of one line
	half       map[string][2]int // frame sizes at scale 0.5 by camera
	rate       float64           // frames a second
}

func (f facts) check(t *testing.T, d *Dataset) {
	t.Run("counts", func(t *testing.T) { f.checkCounts(t, d) })
	t.Run("names", func(t *testing.T) { f.checkNames(t, d) })
	t.Run("layout", func(t *testing.T) { f.checkLayout(t, d) })
	t.Run("annotations", func(t *testing.T) { f.checkAnnotations(t, d) })
	t.Run("discover and verify", func(t *testing.T) { checkTree(t, d) })
}

func (f facts) checkCounts(t *testing.T, d *Dataset) {
	require.Equal(t, f.counts, splitCounts(d.Videos))
	require.Equal(t, f.counts[Dev] != [2]int{}, d.HasDev())
	perSubject := map[string]int{}
	for _, v := range d.Videos {
		perSubject[v.Subject]++
		require.Equal(t, d.Name, v.Dataset)
		require.NotEmpty(t, v.Session)
		require.Equal(t, v.PAI == BonaFide, v.Instrument == "")
	}
	require.Len(t, perSubject, f.subjects)
	for subject, n := range perSubject {
		require.Equal(t, f.perSubject, n, "subject %s", subject)
	}
}

func (f facts) checkNames(t *testing.T, d *Dataset) {
	for _, want := range f.names {
		want.Dataset = d.Name
		got, ok := d.Lookup(want.ID)
		require.True(t, ok, want.ID)
		require.Equal(t, want, got)
	}
	for _, id := range f.strangers {
		_, ok := d.Lookup(id)
		require.False(t, ok, id)
	}
}

func (f facts) checkLayout(t *testing.T, d *Dataset) {
	for _, p := range layout(t, d, LayoutOptions{Every: 1, Scale: 0.5}) {
		require.Equal(t, [2]int{p.Width, p.Height}, f.half[p.Camera], p.Path)
		require.Zero(t, p.Width%16+p.Height%16)
		require.Equal(t, f.rate, p.Rate)
		require.Equal(t, p.ID+filepath.Ext(p.Path), p.Path)
	}
	require.EqualValues(t, 12, layout(t, d, LayoutOptions{Every: 1, Scale: 1, Rate: 12})[0].Rate)
}

// Verify reads the annotations where the dataset keeps them, and names what it cannot read.
func (f facts) checkAnnotations(t *testing.T, d *Dataset) {
	root := t.TempDir()
	plans := plant(t, d, filepath.Join(root, "outer"), LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	for i, content := range []string{f.annotation, "corner 1\n"} {
		touch(t, filepath.Join(root, "outer", filepath.FromSlash(d.Sidecar.path(plans[i].Video))), content)
	}
	c := verify(t, discover(t, d, root))
	require.Equal(t, 2, c.Annotated)
	require.Len(t, c.Annotations, 1)
	require.Contains(t, c.Annotations[0].String(), "line 1")
	var text strings.Builder
	require.NoError(t, c.Text(&text))
	require.Contains(t, text.String(), "annotations of 2 videos, 1 of them unreadable")
}

// A complete tree is found whole, and one without a file is not.
func checkTree(t *testing.T, d *Dataset) {
	root := t.TempDir()
	plans := plant(t, d, root, LayoutOptions{})
	tree := discover(t, d, root)
	c := verify(t, tree)
	require.True(t, c.Complete(), "%+v", c)
	require.Equal(t, "published", c.By)
	require.Len(t, tree.Files, len(d.Videos))
	require.Empty(t, c.Extra)
	require.Empty(t, c.Lists)
	require.Empty(t, c.Warnings)
	for i, f := range tree.Files {
		v, _ := d.Lookup(f.ID)
		require.Equal(t, v, f.Video)
		require.True(t, i == 0 || tree.Files[i-1].ID < f.ID, "sorted, once each")
	}
	require.NoError(t, os.Remove(filepath.Join(root, plans[0].Path)))
	c = verify(t, discover(t, d, root))
	require.False(t, c.Complete())
	require.Equal(t, []string{plans[0].ID}, c.Missing)
}
