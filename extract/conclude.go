package extract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/atomicfile"
)

// conclude writes manifest and report when every video of the tree is done.
func (x extractor) conclude(s benchmark.Settings, tree *benchmark.Tree) (Summary, error) {
	records, missing, err := x.records(tree)
	if err != nil {
		return Summary{}, err
	}
	if missing > 0 {
		return Summary{Missing: missing}, removeManifest(x.out)
	}
	report := benchmark.NewReport(s, tree, records)
	if err := x.writeTables(report, records); err != nil {
		return Summary{}, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return Summary{Report: &report}, nil
}

// records returns the records of all videos; missing counts the videos without a
// record, or with one of another file.
func (x extractor) records(tree *benchmark.Tree) (records []benchmark.Record, missing int, err error) {
	for _, f := range tree.Files {
		r, err := benchmark.ReadRecord(x.out, f.ID)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, 0, err
		case err != nil || !x.matches(r, f):
			missing++
		default:
			records = append(records, r)
		}
	}
	return records, missing, nil
}

// writeTables writes the manifest last: if it exists, everything else does too.
func (x extractor) writeTables(report benchmark.Report, records []benchmark.Record) error {
	write := func(name string, do func(io.Writer) error) error {
		return atomicfile.Write(filepath.Join(x.out, name), do)
	}
	err := write(benchmark.ReportName, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(report)
	})
	if err == nil {
		err = write("report.txt", report.Text)
	}
	if err == nil {
		err = write(benchmark.ManifestName, func(w io.Writer) error { return benchmark.WriteManifest(w, records) })
	}
	return err
}

// removeManifest deletes the manifest before crops change that it names.
func removeManifest(dir string) error {
	if err := os.Remove(filepath.Join(dir, benchmark.ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}
