package benchmark

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
)

// LayoutOptions choose which part of a dataset is laid out, and how small.
type LayoutOptions struct {
	// Subjects of each split, the first ones of it; nil: all. What a dataset has
	// no split for is not asked.
	Subjects map[Split]int
	// Every keeps every Nth combination of camera and session of a subject, with
	// all files of it, beginning one further for each subject so that together
	// they have all; 1 keeps all.
	Every int
	// Scale of the true frame size, in (0, 1]; sides become multiples of 16.
	Scale float64
	// Rate in frames a second; 0: the dataset's own.
	Rate float64
}

// Validate names the first value that is wrong.
func (o LayoutOptions) Validate() error {
	switch {
	case o.Every < 1:
		return fmt.Errorf("every: %d is out of range [1, ∞)", o.Every)
	case !(o.Scale > 0 && o.Scale <= 1):
		return fmt.Errorf("scale: %v is out of range (0, 1]", o.Scale)
	case !(o.Rate >= 0 && o.Rate <= 240):
		return fmt.Errorf("rate: %v is out of range [0, 240]", o.Rate)
	}
	for split, n := range o.Subjects {
		if n < 0 {
			return fmt.Errorf("subjects: %d of %s", n, split)
		}
	}
	return nil
}

// Plan is a row of plan.csv: a video to be filmed.
type Plan struct {
	Video
	Path          string // with suffix, below the root
	Width, Height int
	Rate          float64
}

// Layout lists what must be filmed, in canonical order.
func (d *Dataset) Layout(o LayoutOptions) (plans []Plan, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	for _, v := range d.choose(o) {
		p := Plan{Video: v, Path: v.ID + v.suffix, Rate: v.rate,
			Width: scaled(v.size[0], o.Scale), Height: scaled(v.size[1], o.Scale)}
		if o.Rate > 0 {
			p.Rate = o.Rate
		}
		plans = append(plans, p)
	}
	if len(plans) == 0 {
		return nil, errors.New("subjects: nobody is left to film")
	}
	return plans, nil
}

// scaled is the nearest multiple of 16, and 16 at least.
func scaled(side int, scale float64) int {
	return 16 * max(1, int(math.Round(float64(side)*scale/16)))
}

// choose keeps the videos of the chosen subjects and combinations.
func (d *Dataset) choose(o LayoutOptions) (chosen []Video) {
	combinations := d.combinations()
	every := min(o.Every, len(combinations)) // nobody is left without any
	number := map[string]int{}               // of a subject within its split
	count := map[Split]int{}
	for _, v := range d.videos {
		if _, ok := number[v.Subject]; !ok {
			number[v.Subject] = count[v.Split]
			count[v.Split]++
		}
		n := number[v.Subject]
		if limit, ok := o.Subjects[v.Split]; ok && n >= limit {
			continue
		}
		if (combinations[v.combination()]+n)%every == 0 {
			chosen = append(chosen, v)
		}
	}
	return chosen
}

func (v Video) combination() string { return v.Camera + "/" + v.Session }

// combinations numbers the dataset's pairs of camera and session.
func (d *Dataset) combinations() map[string]int {
	numbers := map[string]int{}
	for _, v := range d.videos {
		if _, ok := numbers[v.combination()]; !ok {
			numbers[v.combination()] = len(numbers)
		}
	}
	return numbers
}

// PlanName is the plan's file in a layout's root.
const PlanName = "plan.csv"

var planColumns = []string{"path", "video", "dataset", "split", "subject", "session", "camera", "pai", "instrument", "label",
	"width", "height", "rate", "rotate"}

// WritePlan writes plan.csv.
func WritePlan(w io.Writer, plans []Plan) error {
	out := csv.NewWriter(w)
	_ = out.Write(planColumns) // errors are kept for Error
	for _, p := range plans {
		_ = out.Write([]string{p.Path, p.ID, p.Dataset, string(p.Split), p.Subject, p.Session, p.Camera, string(p.PAI), p.Instrument,
			strconv.Itoa(p.Label()), strconv.Itoa(p.Width), strconv.Itoa(p.Height),
			strconv.FormatFloat(p.Rate, 'f', -1, 64), strconv.Itoa(p.turned)})
	}
	out.Flush()
	return out.Error()
}

// Folders lists, below the root, where the plan's videos and their sidecar files go.
func (d *Dataset) Folders(plans []Plan) (folders []string) {
	known := map[string]bool{}
	add := func(folder string) {
		if !known[folder] {
			known[folder] = true
			folders = append(folders, folder)
		}
	}
	for _, p := range plans {
		add(path.Dir(p.Path))
		add(path.Dir(d.Sidecar(p.Video)))
	}
	return folders
}

// Sidecar is where the dataset keeps a video's annotations, below the root.
func (d *Dataset) Sidecar(v Video) string {
	switch d.Name {
	case "oulu":
		return v.ID + ".txt"
	case "msu":
		return v.ID + ".face"
	}
	return "face-locations/" + v.ID + ".face"
}

// MayLayOut refuses a folder that holds something else, such as the true
// dataset, whose lists would be replaced by shorter ones.
func (d *Dataset) MayLayOut(dir string) error {
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
