package benchmark

import (
	"fmt"
	"io"
	"math"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/liveproof/liveproof"
)

// ParseFaceBoxes reads a .face file as Idiap's packages have it: whole numbers
// "frame x y width height", more columns allowed. A row of four zeros is a frame
// in which no face was found; it is left out.
func ParseFaceBoxes(r io.Reader) (rows []Annotation, err error) {
	err = eachLine(r, func(n int, line string) error {
		v, err := integers(strings.Fields(line), 5)
		if err != nil {
			return fmt.Errorf("line %d: %w; want frame x y width height", n, err)
		}
		x, y, w, h := v[1], v[2], v[3], v[4]
		switch {
		case x == 0 && y == 0 && w == 0 && h == 0:
			return nil
		case w <= 0 || h <= 0 || v[0] < 0:
			return fmt.Errorf("line %d: %q is not frame x y width height", n, line)
		}
		rows = append(rows, Annotation{Frame: v[0], Box: box(float64(x), float64(y), float64(x+w), float64(y+h))})
		return nil
	})
	return rows, err
}

// path of a video's sidecar below the root, in the canonical layout.
func (s Sidecar) path(v Video) string { return path.Join(s.Folder, v.ID+s.Suffix) }

// sidecar is where a video's annotations lie in this tree: beside it, or in a
// tree of their own beside the dataset's folders.
func (t *Tree) sidecar(f File) string {
	s := t.Dataset.Sidecar
	if s.Folder == "" {
		return strings.TrimSuffix(f.Path, filepath.Ext(f.Path)) + s.Suffix
	}
	anchor, _, _ := strings.Cut(f.ID, "/")
	return filepath.Join(t.bases[anchor], filepath.FromSlash(s.path(f.Video)))
}

// maxCoordinate bounds frame numbers and positions, so that sums do not overflow.
const maxCoordinate = 1 << 24

func integers(fields []string, least int) ([]int, error) {
	if len(fields) < least {
		return nil, fmt.Errorf("%d columns", len(fields))
	}
	values := make([]int, least)
	for i := range values {
		v, err := strconv.Atoi(strings.TrimSpace(fields[i]))
		if err != nil || v < -maxCoordinate || v > maxCoordinate {
			return nil, fmt.Errorf("%q is not a whole number in range", fields[i])
		}
		values[i] = v
	}
	return values, nil
}

func decimals(fields []string, want int) ([]float64, error) {
	if len(fields) != want {
		return nil, fmt.Errorf("%d columns", len(fields))
	}
	values := make([]float64, want)
	for i := range values {
		v, err := strconv.ParseFloat(strings.TrimSpace(fields[i]), 64)
		if err != nil || !(math.Abs(v) <= maxCoordinate) { // the negation refuses NaN
			return nil, fmt.Errorf("%q is not a number in range", fields[i])
		}
		values[i] = v
	}
	return values, nil
}

func box(x1, y1, x2, y2 float64) liveproof.Box {
	return liveproof.Box{X1: float32(x1), Y1: float32(y1), X2: float32(x2), Y2: float32(y2)}
}

func point(x, y float64) liveproof.Point { return liveproof.Point{X: float32(x), Y: float32(y)} }
