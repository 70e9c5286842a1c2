package benchmark

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestReplayAttackFaces(t *testing.T) {
	rows, err := ParseFaceBoxes(strings.NewReader("0 100 50 80 90\r\n1 0 0 0 0\r\n3 -2 5 10 10 7 7"))
	require.NoError(t, err)
	require.Equal(t, []Annotation{
		{Frame: 0, Box: liveproof.Box{X1: 100, Y1: 50, X2: 180, Y2: 140}},
		{Frame: 3, Box: liveproof.Box{X1: -2, Y1: 5, X2: 8, Y2: 15}},
	}, rows, "width and height; four zeros are no face")
}

func TestMSUFaces(t *testing.T) {
	rows, err := ParseMSUFace(strings.NewReader("0,100.5,50,180,140,120,80,160,81"))
	require.NoError(t, err)
	require.Equal(t, []Annotation{{
		Box:  liveproof.Box{X1: 100.5, Y1: 50, X2: 180, Y2: 140},
		Eyes: &[2]liveproof.Point{{X: 120, Y: 80}, {X: 160, Y: 81}},
	}}, rows, "corners, not a size")
}

func TestOULUEyes(t *testing.T) {
	rows, err := ParseOULUEyes(strings.NewReader("0,400,600,700,610\n\n1,401,600,701,610\n"))
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, &[2]liveproof.Point{{X: 401, Y: 600}, {X: 701, Y: 610}}, rows[1].Eyes)
}

func TestSidecarsRefuse(t *testing.T) {
	for _, c := range []struct {
		parse func(io.Reader) ([]Annotation, error)
		text  string
	}{
		{ParseFaceBoxes, "0 1 2 3"}, {ParseFaceBoxes, "0 1 2 0 5"}, {ParseFaceBoxes, "0,1,2,3,4"}, {ParseFaceBoxes, "0 99999999999 2 3 4"},
		{ParseMSUFace, "0,10,10,5,50,1,1,1,1"}, {ParseMSUFace, "0,1,1,5,5,1,1,1"}, {ParseMSUFace, "0,NaN,1,5,5,1,1,1,1"}, {ParseMSUFace, "0.5,1,1,5,5,1,1,1,1"},
		{ParseOULUEyes, "0,700,600,400,610"}, {ParseOULUEyes, "0,1,2,3"}, {ParseOULUEyes, "x,1,2,3,4"},
	} {
		_, err := c.parse(strings.NewReader("\n" + c.text))
		require.ErrorContains(t, err, "line 2", "%q", c.text)
	}
}

func TestOULUListFiles(t *testing.T) {
	d, root := open(t, "oulu"), t.TempDir()
	plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Dev: 1, Test: 1}})
	list := filepath.Join(root, "Protocols", "Protocol_1", "Test.txt")
	raw, err := os.ReadFile(list)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(raw), "+1,1_3_36_1\n-1,1_3_36_2\n-1,1_3_36_3\n-2,1_3_36_4\n"), "%s", raw)
	check := func(text string) []Finding {
		touch(t, list, text)
		return verify(t, discover(t, d, root)).Lists
	}
	require.Empty(t, check(strings.TrimSpace(strings.ReplaceAll(string(raw), "\n", "\r\n"))), "CRLF, no newline at the end")

	findings := check(strings.Replace(string(raw), "-2,1_3_36_4", "-1,1_3_36_4", 1))
	require.Len(t, findings, 1)
	require.True(t, findings[0].Warning, "-1 for -2 changes nothing")
	require.Equal(t, 4, findings[0].Line)

	findings = check(strings.Replace(string(raw), "-2,1_3_36_4", "+1,1_3_36_4", 1))
	require.Len(t, findings, 1)
	require.False(t, findings[0].Warning, "the sign must agree")

	findings = check(strings.Replace(string(raw), "+1,1_3_36_1\n", "", 1))
	require.Equal(t, []Finding{{File: "Protocol_1/Test.txt", What: "1_3_36_1 is missing"}}, findings)

	findings = check(string(raw) + "+1,1_1_36_1\n+1,1_3_36_1\n")
	require.Len(t, findings, 2, "another session's, and one twice")

	require.NoError(t, os.Remove(list))
	require.Len(t, verify(t, discover(t, d, root)).Lists, 1, "a list file is missing")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "Protocols")))
	c := verify(t, discover(t, d, root))
	require.Len(t, c.Lists, 1)
	require.True(t, c.Lists[0].Warning, "without lists the table serves, and it is said")
	require.Contains(t, c.Lists[0].What, "not compared")
}

func TestWriteFileKeepsTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "x.csv")
	say := func(text string, err error) error {
		return WriteFile(path, func(w io.Writer) error { _, _ = io.WriteString(w, text); return err })
	}
	require.NoError(t, say("first", nil))
	full := errors.New("no space left on device")
	require.ErrorIs(t, say("half", full), full)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "first", string(data))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no partial file stays")
}

// Each dataset keeps its annotations elsewhere and in another form; verify reads them all and names what it cannot read.
func TestAnnotationsAreReadWhereTheDatasetsKeepThem(t *testing.T) {
	good := map[string]string{"oulu": "0,100,200,160,200\r\n1,101,200,161,200", "msu": "0,10,20,110,140,30,50,80,50\r\n",
		"casia": "0 10 20 100 120", "replay": "0 0 0 0 0\n1 10 20 100 120\n"}
	for _, d := range All() {
		root := filepath.Join(t.TempDir())
		plans := plant(t, d, filepath.Join(root, "outer"), LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
		for i, content := range []string{good[d.Name], "corner 1\n"} {
			touch(t, filepath.Join(root, "outer", filepath.FromSlash(d.Sidecar(plans[i].Video))), content)
		}
		c := verify(t, discover(t, d, root))
		require.Equal(t, 2, c.Annotated, d.Name)
		require.Len(t, c.Annotations, 1, d.Name)
		require.Contains(t, c.Annotations[0].String(), "line 1", d.Name)
		var text strings.Builder
		require.NoError(t, c.Text(&text))
		require.Contains(t, text.String(), "annotations of 2 videos, 1 of them unreadable", d.Name)
	}
}

// The sidecar parsers get files from outside: any bytes give rows or an error, and every row is in range.
func FuzzSidecars(f *testing.F) {
	for _, seed := range []string{"0 1 2 3 4\r\n", "0,1,2,3,4,5,6,7,8", "0,1,2,3,4\n\n1,1,2,3,4", "1e999,1,1,2,2,1,1,1,1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func(io.Reader) ([]Annotation, error){ParseFaceBoxes, ParseMSUFace, ParseOULUEyes} {
			rows, err := parse(bytes.NewReader(data))
			for _, r := range rows {
				if err == nil && (r.Frame < 0 || r.Box.Area() <= 0 && r.Eyes == nil || !(r.Box.X1 <= r.Box.X2)) {
					t.Errorf("%q gives %+v", data, r)
				}
			}
		}
	})
}

func FuzzLists(f *testing.F) {
	f.Add([]byte("+1,1_1_01_1\r\n-2,1_1_01_4"))
	f.Add([]byte("02\r\n03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := ParseOULUList(bytes.NewReader(data))
		for _, e := range entries {
			if err == nil && (e.Token == 0 || e.Stem == "" || e.Line < 1) {
				t.Errorf("%q gives %+v", data, e)
			}
		}
		if ids, err := ParseSubjects(bytes.NewReader(data)); err == nil {
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
