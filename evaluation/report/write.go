package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/liveproof/liveproof/internal/atomicfile"
)

// The files of a report.
const (
	JSONName = "report.json"
	HTMLName = "report.html"
)

// Write writes report.json and report.html into the folder, which is made where it is missing. report.json comes last: where it is, the page is too.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, JSONName)); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := atomicfile.Write(filepath.Join(dir, HTMLName), r.HTML); err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	return atomicfile.Write(filepath.Join(dir, JSONName), r.JSON)
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// most bytes that Read takes.
const readLimit = 256 << 20

// Read reads report.json. It fails where the file is not one, or of another form.
func Read(in io.Reader) (*Report, error) {
	r := &Report{}
	if err := json.NewDecoder(io.LimitReader(in, readLimit)).Decode(r); err != nil {
		return nil, fmt.Errorf("%s: %w", JSONName, err)
	}
	if r.Format != Format {
		return nil, fmt.Errorf("%s: the form is %q, and this program reads %q", JSONName, r.Format, Format)
	}
	if len(r.Folds) == 0 {
		return nil, fmt.Errorf("%s: it has no fold", JSONName)
	}
	return r, nil
}
