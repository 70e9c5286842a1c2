package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/media"
)

// digestVersion must be raised when a change of code gives other crops of the
// same videos, and when a field is added below. Crops of two versions do not
// share a folder.
// Version 2: mirrored, interlaced, HDR and wide-gamut videos give other crops, and so do an untagged HD video and one whose pixels are not square.
const digestVersion = 2

// settings are all settings that change the crops of a video: the detector's file
// and the values by which faces are found and followed and videos are decoded.
// Speed and hardware are not among them, and neither are the limits of quality,
// because extraction measures quality but rejects nothing. The JSON is hashed, so
// its names and their order must stay as they are, even when the configuration's
// fields are renamed.
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

// digest is the first 8 bytes of the settings' SHA-256, in hexadecimal digits.
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
