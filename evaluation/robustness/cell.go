package robustness

import (
	"fmt"
	"strconv"
	"strings"
)

// Encoding is how files are encoded before they are sent.
type Encoding struct {
	Codec   string `json:"codec"`            // vp8 or h264
	Preset  string `json:"preset,omitempty"` // of the encoder; empty: its default
	Bitrate int    `json:"bitrate"`          // bit/s
}

// String names the encoding in tables.
func (e Encoding) String() string {
	text := fmt.Sprintf("%s %s kbit/s", e.Codec, kilo(e.Bitrate))
	if e.Preset != "" {
		text += " " + e.Preset
	}
	return text
}

// Name is a folder's name.
func (e Encoding) Name() string {
	parts := []string{e.Codec, kilo(e.Bitrate) + "k"}
	if e.Preset != "" {
		parts = append(parts, e.Preset)
	}
	return strings.Join(parts, "-")
}

func kilo(bitrate int) string { return strconv.FormatFloat(float64(bitrate)/1000, 'f', -1, 64) }

// Cell is one condition of a sweep over WebRTC.
type Cell struct {
	Encoding
	Loss float64 `json:"loss"` // share of the packets in each direction
}

// Name is a folder's name.
func (c Cell) Name() string {
	return c.Encoding.Name() + "-loss" + strconv.FormatFloat(c.Loss, 'f', -1, 64)
}

// Encodings are all combinations, bitrates last.
func Encodings(codecs, presets []string, bitrates []int) (list []Encoding) {
	for _, codec := range codecs {
		for _, preset := range presets {
			for _, bitrate := range bitrates {
				list = append(list, Encoding{codec, preset, bitrate})
			}
		}
	}
	return list
}
