package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/media"
)

// digestVersion is raised when code, not configuration, makes other crops of
// the same videos, and when a field is added below: crops of two versions do
// not share a folder.
const digestVersion = 1

// settings are what makes other crops of the same videos: the detector's file
// and the values by which faces are found and followed and videos decoded. Not
// where and how fast that runs, and not the limits of quality: extraction
// measures quality and rejects nothing. The JSON is hashed, so its names and
// their order stay what they are, whatever the configuration's fields are called.
type settings struct {
	Version         int           `json:"version"`
	Network         string        `json:"network"` // SHA-256 of the detector's file; "" for the Haar cascade
	Width           int           `json:"width"`
	Height          int           `json:"height"`
	Confidence      float64       `json:"confidence"`
	NMS             float64       `json:"nms"`
	MinFace         int           `json:"min_face"`
	OtherMinArea    float64       `json:"other_min_area"`
	OtherConfidence float64       `json:"other_confidence"`
	Track           trackSettings `json:"track"`
	MaxPixels       int           `json:"max_pixels"`
	RawFrameRate    float64       `json:"raw_frame_rate"`
}

type trackSettings struct {
	IoU        float64 `json:"iou"`
	MaxScale   float64 `json:"max_scale"`
	MaxMissed  int     `json:"max_missed"`
	Appearance float64 `json:"appearance"`
}

// digest identifies the settings by the first 8 bytes of their SHA-256, in hexadecimal digits.
func digest(network string, d detector.Config, m media.Config) (string, error) {
	text, err := json.Marshal(settings{
		Version: digestVersion, Network: network,
		Width: d.Width, Height: d.Height, Confidence: d.Confidence, NMS: d.NMS, MinFace: d.MinFace,
		OtherMinArea: d.OtherMinArea, OtherConfidence: d.OtherConfidence,
		Track: trackSettings{
			IoU: d.Track.IoU, MaxScale: d.Track.MaxScale, MaxMissed: d.Track.MaxMissed, Appearance: d.Track.Appearance,
		},
		MaxPixels: m.MaxPixels, RawFrameRate: m.RawFrameRate,
	})
	if err != nil { // a NaN, which no valid configuration holds
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}
