package detector

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/liveproof/liveproof/onnx"
)

// Config holds the detector's settings. Shares are in [0,1]; lengths are in
// pixels of the picture as it was sent.
type Config struct {
	// Width and Height of the network's input; multiples of 32 in [64, 1920].
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
	// Confidence from which a face is one, in (0, 1].
	Confidence float64 `yaml:"confidence"`
	// NMS is the IoU above which the weaker of two boxes is dropped, in (0, 1).
	NMS float64 `yaml:"nms"`
	// MinFace is the longer side of the smallest face that is reported at all.
	MinFace int `yaml:"min_face"`
	// Parallel is how many pictures are searched at once in this process; 0: one per CPU.
	Parallel int `yaml:"parallel"`
	// Provider replaces onnx.provider for the detector's network; empty: the same.
	Provider onnx.Provider `yaml:"provider"`
	// Cascade is the Haar cascade that is used when there is no RetinaFace file.
	Cascade string `yaml:"cascade"`

	// OtherMinArea is the share of the followed face's area from which another face counts as a person.
	OtherMinArea float64 `yaml:"other_min_area"`
	// OtherConfidence is what another face needs to count as a person, in (0, 1];
	// with it a face is also preferred for a new track. It keeps faces on clothes out.
	OtherConfidence float64 `yaml:"other_confidence"`

	Track   TrackConfig   `yaml:"track"`
	Quality QualityConfig `yaml:"quality"`
}

// TrackConfig says when a face is still the same one.
type TrackConfig struct {
	// IoU with the last or the predicted box that keeps the track, in (0, 1).
	IoU float64 `yaml:"iou"`
	// MaxScale is how much the longer side may grow or shrink between two images, > 1.
	MaxScale float64 `yaml:"max_scale"`
	// MaxMissed is for how many images in a row the face may be missing, ≥ 0.
	MaxMissed int `yaml:"max_missed"`
	// Appearance is the correlation in [-1, 1] with the last looks of head and
	// shoulders below which a face in the same place is taken for another
	// person's; -1 turns the check off.
	Appearance float64 `yaml:"appearance"`
}

// QualityConfig says which faces may be scored. A face on the wrong side of
// any limit is not scored and the person is told the reason.
type QualityConfig struct {
	// MinSize is the longer side of the smallest face that is scored.
	MinSize float64 `yaml:"min_size"`
	// MinBlur is the least variance of the Laplacian on the 224×224 crop's luma.
	MinBlur float64 `yaml:"min_blur"`
	// MinExposure and MaxExposure bound the crop's mean luma, in [0, 255].
	MinExposure float64 `yaml:"min_exposure"`
	MaxExposure float64 `yaml:"max_exposure"`
	// MaxClipped is the largest share of crop pixels at luma ≥ 250.
	MaxClipped float64 `yaml:"max_clipped"`
	// MaxYaw and MaxPitch bound the head's turn: 0 frontal, 1 profile.
	MaxYaw   float64 `yaml:"max_yaw"`
	MaxPitch float64 `yaml:"max_pitch"`
	// MaxOutside is the share of the face's box that may lie outside the picture.
	MaxOutside float64 `yaml:"max_outside"`
}

// DefaultConfig returns the settings that the service starts with.
func DefaultConfig() Config {
	return Config{
		Width: 320, Height: 256,
		Confidence: 0.6, NMS: 0.4, MinFace: 24,
		Cascade:      "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml",
		OtherMinArea: 0.25, OtherConfidence: 0.9,
		Track: TrackConfig{IoU: 0.3, MaxScale: 1.5, MaxMissed: 2, Appearance: 0.6},
		Quality: QualityConfig{
			MinSize: 80, MinBlur: 3, MinExposure: 40, MaxExposure: 225, MaxClipped: 0.5,
			MaxYaw: 0.6, MaxPitch: 0.6, MaxOutside: 0.1,
		},
	}
}

// Validate reports the first setting out of its range; the error begins with the key.
func (c Config) Validate() error {
	return firstError(
		inputSide("width", c.Width),
		inputSide("height", c.Height),
		within("confidence", c.Confidence, 0, 1, "(0, 1]"),
		inside("nms", c.NMS, 0, 1),
		count("min_face", c.MinFace, 1, 4096),
		count("parallel", c.Parallel, 0, 1024),
		within("other_min_area", c.OtherMinArea, 0, 1, "(0, 1]"),
		within("other_confidence", c.OtherConfidence, 0, 1, "(0, 1]"),
		provider(c.Provider),
		c.Track.validate(),
		c.Quality.validate(),
	)
}

func (c TrackConfig) validate() error {
	return firstError(
		inside("track.iou", c.IoU, 0, 1),
		within("track.max_scale", c.MaxScale, 1, 10, "(1, 10]"),
		count("track.max_missed", c.MaxMissed, 0, 1000),
		between("track.appearance", c.Appearance, -1, 1),
	)
}

func (c QualityConfig) validate() error {
	if err := firstError(
		between("quality.min_size", c.MinSize, 0, 4096),
		between("quality.min_blur", c.MinBlur, 0, 1e6),
		between("quality.min_exposure", c.MinExposure, 0, 255),
		between("quality.max_exposure", c.MaxExposure, 0, 255),
		between("quality.max_clipped", c.MaxClipped, 0, 1),
		within("quality.max_yaw", c.MaxYaw, 0, 1, "(0, 1]"),
		within("quality.max_pitch", c.MaxPitch, 0, 1, "(0, 1]"),
		between("quality.max_outside", c.MaxOutside, 0, 1),
	); err != nil {
		return err
	}
	if c.MaxExposure <= c.MinExposure {
		return fmt.Errorf("quality.max_exposure: %v is not above min_exposure %v", c.MaxExposure, c.MinExposure)
	}
	return nil
}

// parallel is the number of pictures that may be searched at once, ≥ 1.
func (c Config) parallel() int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func provider(p onnx.Provider) error {
	if p == "" {
		return nil
	}
	cfg := onnx.DefaultConfig()
	cfg.Provider = p
	return cfg.Validate()
}

func inputSide(key string, v int) error {
	if v%32 != 0 {
		return fmt.Errorf("%s: %d is not a multiple of 32", key, v)
	}
	return count(key, v, 64, 1920)
}

func count(key string, v, lo, hi int) error {
	if v < lo || v > hi {
		return fmt.Errorf("%s: %d is out of range [%d, %d]", key, v, lo, hi)
	}
	return nil
}

// The comparisons below are written so that NaN fails them.

func between(key string, v, lo, hi float64) error {
	if v >= lo && v <= hi {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range [%v, %v]", key, v, lo, hi)
}

func inside(key string, v, lo, hi float64) error {
	if v > lo && v < hi {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range (%v, %v)", key, v, lo, hi)
}

func within(key string, v, lo, hi float64, shown string) error {
	if v > lo && v <= hi {
		return nil
	}
	return fmt.Errorf("%s: %v is out of range %s", key, v, strings.TrimSpace(shown))
}
