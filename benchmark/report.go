package benchmark

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// ReportName is the report's file in an extraction's folder.
const ReportName = "report.json"

// SettingsName is the file that makes a folder one of an extraction.
const SettingsName = "settings.json"

// Settings are what all crops of a folder have in common.
type Settings struct {
	Dataset  string `json:"dataset"`
	Frames   int    `json:"frames"` // a video
	Detector string `json:"detector"`
	Crop     string `json:"crop"`
	Config   string `json:"config"` // digest of the detector's file and of the settings of detector and decoder
}

// Report is what extraction made of a dataset.
type Report struct {
	Settings Settings       `json:"settings"`
	Videos   map[Status]int `json:"videos"`
	Crops    int            `json:"crops"`
	Bytes    int64          `json:"bytes"`
	Groups   []Group        `json:"groups"`
	Cameras  []Detection    `json:"cameras"`
	// Nothing lists every video that gave no crop. Scoring counts it by rule, it is never dropped.
	Nothing []Nothing `json:"nothing"`
	Notes   []Note    `json:"notes"`
	// Extra and Warnings are about the tree.
	Extra    []Extra  `json:"extra"`
	Warnings []string `json:"warnings"`
}

// Group counts one split's videos of one instrument species.
type Group struct {
	Split  Split `json:"split"`
	PAI    PAI   `json:"pai"`
	Videos int   `json:"videos"`
	Empty  int   `json:"empty"` // of them without a crop
	Crops  int   `json:"crops"`
}

// Detection is how well faces were found with one camera.
type Detection struct {
	Camera    string  `json:"camera"`
	Sampled   int     `json:"sampled"`
	Found     int     `json:"found"`
	MeanScore float64 `json:"mean_score"`
}

// Nothing is a video without a crop, and why.
type Nothing struct {
	Video
	Status Status `json:"status"`
	Error  string `json:"error,omitempty"`
}

// Note is something about a video that was decided or noticed.
type Note struct {
	Video string `json:"video"`
	Note  string `json:"note"`
}

// NewReport sums up records in their order.
func NewReport(s Settings, t *Tree, records []Record) Report {
	r := Report{
		Settings: s, Videos: map[Status]int{StatusOK: 0, StatusUnreadable: 0, StatusZeroFrames: 0, StatusNoFace: 0},
		Nothing: []Nothing{}, Notes: []Note{}, Extra: append([]Extra{}, t.Extra...), Warnings: append([]string{}, t.Warnings...),
	}
	for _, rec := range records {
		r.add(rec)
	}
	slices.SortStableFunc(r.Groups, func(a, b Group) int { return slices.Index(splits, a.Split) - slices.Index(splits, b.Split) })
	for i, c := range r.Cameras {
		r.Cameras[i].MeanScore = c.MeanScore / float64(max(1, c.Found))
	}
	return r
}

func (r *Report) add(rec Record) {
	r.Videos[rec.Status]++
	r.Crops += len(rec.Crops)
	g, c := r.group(rec.Video), r.camera(rec.Camera)
	g.Videos++
	g.Crops += len(rec.Crops)
	c.Sampled += rec.Sampled
	c.Found += len(rec.Crops)
	for _, crop := range rec.Crops {
		r.Bytes += crop.Bytes
		c.MeanScore += crop.FaceScore // the sum, until all are here
	}
	if rec.Status != StatusOK {
		g.Empty++
		r.Nothing = append(r.Nothing, Nothing{rec.Video, rec.Status, rec.Error})
	}
	for _, note := range rec.Notes {
		r.Notes = append(r.Notes, Note{rec.ID, note})
	}
}

func (r *Report) group(v Video) *Group {
	for i := range r.Groups {
		if r.Groups[i].Split == v.Split && r.Groups[i].PAI == v.PAI {
			return &r.Groups[i]
		}
	}
	r.Groups = append(r.Groups, Group{Split: v.Split, PAI: v.PAI})
	return &r.Groups[len(r.Groups)-1]
}

func (r *Report) camera(name string) *Detection {
	for i := range r.Cameras {
		if r.Cameras[i].Camera == name {
			return &r.Cameras[i]
		}
	}
	r.Cameras = append(r.Cameras, Detection{Camera: name})
	return &r.Cameras[len(r.Cameras)-1]
}

// Text writes the report for people.
func (r Report) Text(w io.Writer) error {
	out := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(out, "SPLIT\tPAI\tVIDEOS\tWITHOUT CROP\tCROPS")
	for _, g := range r.Groups {
		fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\n", g.Split, g.PAI, g.Videos, g.Empty, g.Crops)
	}
	fmt.Fprintln(out, "\nCAMERA\tFRAMES\tWITH A FACE\tSHARE\tMEAN SCORE")
	for _, c := range r.Cameras {
		fmt.Fprintf(out, "%s\t%d\t%d\t%.1f %%\t%.3f\n", c.Camera, c.Sampled, c.Found, 100*float64(c.Found)/float64(max(1, c.Sampled)), c.MeanScore)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return r.exceptions(&lineWriter{w: w})
}

func (r Report) exceptions(w *lineWriter) error {
	for _, n := range r.Nothing {
		w.line("nothing from %s: %s %s", n.ID, n.Status, n.Error)
	}
	for _, n := range summed(r.Notes) {
		w.line("%s", n)
	}
	for _, e := range r.Extra {
		w.line("extra: %s: %s", e.Path, e.Why)
	}
	for _, warning := range r.Warnings {
		w.line("warning: %s", warning)
	}
	w.line("%d crops, %.1f MB", r.Crops, float64(r.Bytes)/1e6)
	return w.err
}

// summed returns a line for each different note, in the order of their first videos.
// A note on many videos names the first ones; report.json names all.
func summed(notes []Note) (lines []string) {
	videos, order := map[string][]string{}, []string{}
	for _, n := range notes {
		if videos[n.Note] == nil {
			order = append(order, n.Note)
		}
		videos[n.Note] = append(videos[n.Note], n.Video)
	}
	for _, note := range order {
		names := videos[note]
		if len(names) <= namedVideos {
			lines = append(lines, fmt.Sprintf("note on %s: %s", strings.Join(names, ", "), note))
			continue
		}
		first := strings.Join(names[:namedVideos], ", ")
		lines = append(lines, fmt.Sprintf("note on %d videos: %s (%s, …; %s names all)", len(names), note, first, ReportName))
	}
	return lines
}

// namedVideos is how many videos of one note Text names.
const namedVideos = 3

// ExtractedVideos lists the videos of an extraction's folder, also those that
// gave no crop: a protocol must not lose them.
func ExtractedVideos(dir string) ([]Video, error) {
	videos, err := ManifestVideos(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: is the extraction done?", err)
	}
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, ReportName))
	if errors.Is(err, fs.ErrNotExist) {
		return videos, notExtracted(dir)
	}
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, ReportName), err)
	}
	for _, n := range r.Nothing {
		videos = append(videos, n.Video)
	}
	return videos, nil
}

// notExtracted is nil for crops straight from the renderer, which need no report.
func notExtracted(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, SettingsName)); err == nil {
		return fmt.Errorf("%s: no %s, so videos without a crop would be lost: run the extraction again, it only writes the tables", dir, ReportName)
	}
	return nil
}
