package benchmark

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// ManifestName is the manifest's file in an extraction's folder.
const ManifestName = "manifest.csv"

var manifestColumns = []string{
	"crop", "dataset", "split", "subject", "session", "camera", "pai", "instrument", "label", "domain",
	"video", "frame", "time", "face_score", "box_x1", "box_y1", "box_x2", "box_y2",
	"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y",
	"left_mouth_x", "left_mouth_y", "right_mouth_x", "right_mouth_y", "sharpness", "brightness", "sha256",
}

// WriteManifest writes one row a crop, in the order of the records.
func WriteManifest(w io.Writer, records []Record) error {
	out := csv.NewWriter(w)
	_ = out.Write(manifestColumns) // errors are kept for Error
	for _, r := range records {
		for _, c := range r.Crops {
			_ = out.Write(manifestRow(r, c))
		}
	}
	out.Flush()
	return out.Error()
}

func manifestRow(r Record, c Crop) []string {
	row := []string{c.File, r.Dataset, string(r.Split), r.Subject, r.Session, r.Camera, string(r.PAI), r.Instrument,
		strconv.Itoa(r.Label()), r.Dataset, r.ID, strconv.Itoa(c.Frame), decimal(c.Time, 6), decimal(c.FaceScore, 4)}
	for _, v := range c.Box {
		row = append(row, decimal(v, 2))
	}
	for i := range 10 {
		if c.Landmarks == nil {
			row = append(row, "")
		} else {
			row = append(row, decimal(c.Landmarks[i], 2))
		}
	}
	return append(row, decimal(c.Sharpness, 3), decimal(c.Brightness, 3), c.SHA256)
}

func decimal(v float64, places int) string { return strconv.FormatFloat(v, 'f', places, 64) }

// ManifestVideos lists the videos that have a crop in the manifest, in its order.
func ManifestVideos(dir string) (videos []Video, err error) {
	path := filepath.Join(dir, ManifestName)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	if videos, err = readVideos(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return videos, nil
}

// readVideos takes each video's first row; rows of one video need not be neighbours.
func readVideos(r io.Reader) (videos []Video, err error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("no header: %w", err)
	}
	columns, err := locate(header, "dataset", "video", "split", "subject", "session", "camera", "pai", "instrument")
	if err != nil {
		return nil, err
	}
	seen := map[[2]string]bool{}
	for {
		row, err := in.Read()
		if err == io.EOF {
			return videos, nil
		}
		if err != nil {
			return nil, err
		}
		v := Video{Dataset: row[columns[0]], ID: row[columns[1]], Split: Split(row[columns[2]]), Subject: row[columns[3]],
			Session: row[columns[4]], Camera: row[columns[5]], PAI: PAI(row[columns[6]]), Instrument: row[columns[7]]}
		if key := [2]string{v.Dataset, v.ID}; !seen[key] {
			seen[key] = true
			videos = append(videos, v)
		}
	}
}

func locate(header []string, names ...string) (columns []int, err error) {
	for _, name := range names {
		at := slices.Index(header, name)
		if at < 0 {
			return nil, fmt.Errorf("line 1: no column %q", name)
		}
		columns = append(columns, at)
	}
	return columns, nil
}
