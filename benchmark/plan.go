package benchmark

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/liveproof/liveproof/internal/atomicfile"
)

// Plan is a row of plan.csv: a video to be filmed.
type Plan struct {
	Video
	Path          string // with suffix, below the root
	Width, Height int
	Rate          float64
	Medium        Instrument
	Person        int // the subject's number among the subjects of all datasets
}

// PlanName is the plan's file in a layout's root.
const PlanName = "plan.csv"

var planColumns = []string{"path", "video", "dataset", "split", "subject", "session", "camera", "pai", "instrument", "label",
	"width", "height", "rate", "rotate", "device", "moving", "fixed", "person"}

func (p Plan) row() []string {
	return []string{p.Path, p.ID, p.Dataset, string(p.Split), p.Subject, p.Session, p.Camera, string(p.PAI), p.Instrument,
		strconv.Itoa(p.Label()), strconv.Itoa(p.Width), strconv.Itoa(p.Height), strconv.FormatFloat(p.Rate, 'f', -1, 64),
		strconv.Itoa(p.turned), p.Medium.Device, flag(p.Medium.Moving), flag(p.Medium.Fixed), strconv.Itoa(p.Person)}
}

func flag(set bool) string {
	if set {
		return "1"
	}
	return "0"
}

// WritePlan writes plan.csv.
func WritePlan(w io.Writer, plans []Plan) error {
	out := csv.NewWriter(w)
	_ = out.Write(planColumns) // errors are kept for Error
	for _, p := range plans {
		_ = out.Write(p.row())
	}
	out.Flush()
	return out.Error()
}

// planned reads the identities of one dataset out of a plan.
func planned(r io.Reader, dataset string) (ids map[string]bool, err error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("no header")
	}
	columns, err := locate(rows[0], "dataset", "video")
	if err != nil {
		return nil, err
	}
	ids = map[string]bool{}
	for _, row := range rows[1:] {
		if row[columns[0]] == dataset {
			ids[row[columns[1]]] = true
		}
	}
	return ids, nil
}

// WriteLayout makes the plan's folders, list files and plan.csv in dir. The plan
// is written last: if it exists, the rest does too.
func (d *Dataset) WriteLayout(dir string, plans []Plan) error {
	if err := d.mayLayOut(dir); err != nil {
		return err
	}
	for _, folder := range d.folders(plans) {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(folder)), 0o755); err != nil {
			return err
		}
	}
	for name, text := range d.listFiles(plans) {
		write := func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
		if err := atomicfile.Write(filepath.Join(dir, filepath.FromSlash(name)), write); err != nil {
			return err
		}
	}
	return atomicfile.Write(filepath.Join(dir, PlanName), func(w io.Writer) error { return WritePlan(w, plans) })
}

// mayLayOut refuses a folder that holds something else, such as the true
// dataset, whose lists would be replaced by shorter ones.
func (d *Dataset) mayLayOut(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, PlanName))
	if err != nil {
		return fmt.Errorf("%s is not empty and has no %s: take another folder", dir, PlanName)
	}
	defer f.Close() //nolint:errcheck // only read
	if ids, err := planned(f, d.Name); err != nil || len(ids) == 0 {
		return fmt.Errorf("%s was laid out for another dataset: take another folder", dir)
	}
	return nil
}

// folders lists, below the root, where the plan's videos and their sidecar files go.
func (d *Dataset) folders(plans []Plan) (folders []string) {
	for _, p := range plans {
		for _, folder := range []string{path.Dir(p.Path), path.Dir(d.Sidecar.path(p.Video))} {
			if !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// listFiles are the dataset's list files for the plan, by path below the root.
func (d *Dataset) listFiles(plans []Plan) map[string]string {
	if d.Lists.Write == nil {
		return nil
	}
	videos := make([]Video, len(plans))
	for i, p := range plans {
		videos[i] = p.Video
	}
	return d.Lists.Write(videos)
}
