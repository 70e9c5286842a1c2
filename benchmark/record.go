package benchmark

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/liveproof/liveproof/internal/atomicfile"
)

// Status is how a video's extraction ended.
type Status string

// The statuses. All but StatusOK gave no crop; scoring counts such a video by rule.
const (
	StatusOK         Status = "ok"
	StatusUnreadable Status = "unreadable"  // no container or codec that FFmpeg reads
	StatusZeroFrames Status = "zero_frames" // readable, without a single picture
	StatusNoFace     Status = "no_face"     // in none of the sampled frames
)

// Record is what extraction made of one video. Its file is renamed into place
// after all crops are written: a video without a record is not done.
type Record struct {
	Video
	Status      Status   `json:"status"`
	Error       string   `json:"error,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	SourceBytes int64    `json:"source_bytes"`
	Frames      int      `json:"frames"` // decoded
	Width       int      `json:"width"`  // of the upright frame
	Height      int      `json:"height"`
	Rate        float64  `json:"rate"`                // frames a second, by the container
	Rotation    int      `json:"rotation"`            // degrees clockwise, by the container; done by the decoder
	Mirrored    bool     `json:"mirrored,omitempty"`  // left to right before that, by the container; done by the decoder
	Turn        int      `json:"turn"`                // degrees on top of that
	Reduction   int      `json:"reduction,omitempty"` // 2, 4, 8: decoded at that part of its width and height
	Sampled     int      `json:"sampled"`
	Broken      bool     `json:"broken,omitempty"` // could not be read to its end
	Crops       []Crop   `json:"crops"`
}

// Crop is one face crop. Positions are in pixels of the upright frame.
type Crop struct {
	File       string       `json:"file"` // below the extraction's folder, /-separated
	Bytes      int64        `json:"bytes"`
	Frame      int          `json:"frame"`      // from 0
	Time       float64      `json:"time"`       // seconds
	FaceScore  float64      `json:"face_score"` // [0,1]
	Box        [4]float64   `json:"box"`        // x1 y1 x2 y2
	Landmarks  *[10]float64 `json:"landmarks,omitempty"`
	Sharpness  float64      `json:"sharpness"`  // variance of the Laplacian of the 224×224 centre's luma
	Brightness float64      `json:"brightness"` // its mean luma, [0,255]
	SHA256     string       `json:"sha256"`     // of the 256×256×3 decoded bytes
}

func recordPath(dir, id string) string {
	return filepath.Join(dir, "records", filepath.FromSlash(id)+".json")
}

// Save writes the record into the extraction's folder, in one piece.
func (r Record) Save(dir string) error {
	return atomicfile.Write(recordPath(dir, r.ID), func(w io.Writer) error { return json.NewEncoder(w).Encode(r) })
}

// ReadRecord reads a video's record; fs.ErrNotExist when it is not done.
func ReadRecord(dir, id string) (r Record, err error) {
	file := recordPath(dir, id)
	data, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	if r, err = parseRecord(data, id); err != nil {
		return Record{}, fmt.Errorf("%s: %w; remove it to have the video extracted again", file, err)
	}
	return r, nil
}

// parseRecord reads the record of the video id. Its crops lie in the video's own folder, and there are some
// exactly if the status says so.
func parseRecord(data []byte, id string) (r Record, err error) {
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, err
	}
	if r.ID != id {
		return Record{}, fmt.Errorf("it is the record of another video, %q", r.ID)
	}
	if known := []Status{StatusOK, StatusUnreadable, StatusZeroFrames, StatusNoFace}; !slices.Contains(known, r.Status) {
		return Record{}, fmt.Errorf("unknown status %q", r.Status)
	}
	if (r.Status == StatusOK) != (len(r.Crops) > 0) {
		return Record{}, fmt.Errorf("status %s with %d crops", r.Status, len(r.Crops))
	}
	for _, c := range r.Crops {
		if path.Dir(c.File) != "crops/"+id || !filepath.IsLocal(filepath.FromSlash(c.File)) || c.Bytes < 0 || c.Frame < 0 {
			return Record{}, fmt.Errorf("crop %q is not one of this video", c.File)
		}
	}
	return r, nil
}

// Of reports whether the record is of this very video, as its dataset's names and lists describe it today.
func (r Record) Of(v Video) bool {
	v.turned = r.turned // not in the file
	return r.Video == v
}

// Final reports whether reading the same file again would give the same record.
// A video that could not be read may be readable later: the fault may lie with the
// disk, the mount or a limit.
func (r Record) Final() bool {
	return !r.Broken && (r.Status == StatusOK || r.Status == StatusNoFace)
}

// Whole reports whether all crops of the record lie in the folder with their full length.
func (r Record) Whole(dir string) bool {
	for _, c := range r.Crops {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(c.File)))
		if err != nil || info.Size() != c.Bytes {
			return false
		}
	}
	return true
}
