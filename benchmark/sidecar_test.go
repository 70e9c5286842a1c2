package benchmark

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestFaceBoxes(t *testing.T) {
	rows, err := ParseFaceBoxes(strings.NewReader("0 100 50 80 90\r\n1 0 0 0 0\r\n3 -2 5 10 10 7 7"))
	require.NoError(t, err)
	require.Equal(t, []Annotation{
		{Frame: 0, Box: liveproof.Box{X1: 100, Y1: 50, X2: 180, Y2: 140}},
		{Frame: 3, Box: liveproof.Box{X1: -2, Y1: 5, X2: 8, Y2: 15}},
	}, rows, "width and height; four zeros are no face")
}

func TestSidecarsRefuse(t *testing.T) {
	for _, c := range []struct {
		parse func(io.Reader) ([]Annotation, error)
		text  string
	}{
		{ParseFaceBoxes, "0 1 2 3"}, {ParseFaceBoxes, "0 1 2 0 5"}, {ParseFaceBoxes, "0,1,2,3,4"}, {ParseFaceBoxes, "0 99999999999 2 3 4"},
		{parseMSUFaces, "0,10,10,5,50,1,1,1,1"}, {parseMSUFaces, "0,1,1,5,5,1,1,1"}, {parseMSUFaces, "0,NaN,1,5,5,1,1,1,1"}, {parseMSUFaces, "0.5,1,1,5,5,1,1,1,1"},
		{parseOULUEyes, "0,700,600,400,610"}, {parseOULUEyes, "0,1,2,3"}, {parseOULUEyes, "x,1,2,3,4"},
	} {
		_, err := c.parse(strings.NewReader("\n" + c.text))
		require.ErrorContains(t, err, "line 2", "%q", c.text)
	}
}

// The sidecar parsers get files from outside: any bytes give rows or an error, and every row is in range.
func FuzzSidecars(f *testing.F) {
	for _, seed := range []string{"0 1 2 3 4\r\n", "0,1,2,3,4,5,6,7,8", "0,1,2,3,4\n\n1,1,2,3,4", "1e999,1,1,2,2,1,1,1,1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range Known().Datasets() {
			rows, err := d.Sidecar.Parse(bytes.NewReader(data))
			for _, r := range rows {
				if err == nil && (r.Frame < 0 || r.Box.Area() <= 0 && r.Eyes == nil || !(r.Box.X1 <= r.Box.X2)) {
					t.Errorf("%q gives %+v", data, r)
				}
			}
		}
	})
}
