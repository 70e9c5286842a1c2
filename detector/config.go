package detector

import (
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/liveproof/liveproof/internal/check"
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
	// Provider replaces onnx.provider for the detector's network; empty: the same, but cpu where that is
	// auto. OpenVINO is faster in bf16, but its boxes have 8 bits, and with follow on that moved scores.
	Provider onnx.Provider `yaml:"provider"`
	// Cascade is the file of the Haar cascade that is used when the network's model
	// file is missing.
	Cascade string `yaml:"cascade"`

	// OtherMinArea is the share of the followed face's area from which another face counts as a person.
	OtherMinArea float64 `yaml:"other_min_area"`
	// OtherConfidence is what another face needs to count as a person, in (0, 1];
	// with it a face is also preferred for a new track. It keeps out faces on clothes, and plants and other things behind a
	// person that look a little like a face (0.92 at most in the clips). Faces of 100 pixels reach 0.95 in 92 % of single pictures, of 200 in all.
	OtherConfidence float64 `yaml:"other_confidence"`

	Follow  FollowConfig  `yaml:"follow"`
	Track   TrackConfig   `yaml:"track"`
	Quality QualityConfig `yaml:"quality"`
}

// FollowConfig says when the detector searches only the region around the followed
// face instead of the whole picture. The Haar cascade always searches the whole picture.
type FollowConfig struct {
	// Every is the longest stream time from one search of a whole picture to the next,
	// [0s, 1m]. It is also the time within which a second face is noticed. 0s searches
	// the whole picture of every sample.
	Every time.Duration `yaml:"every"`
	// Regions are the sizes (width x height) of the network's input for a region, the
	// smallest first; both sides are multiples of 32, [64, 1920]. The first size that the
	// face fits into is taken, at the scale of the whole picture; if there is none, the
	// whole picture is searched.
	Regions []Size `yaml:"regions"`
}

// TrackConfig says when a face is still the same one.
type TrackConfig struct {
	// IoU with the last or the predicted box that keeps the track, in (0, 1).
	IoU float64 `yaml:"iou"`
	// MaxScale is how much the longer side may grow or shrink between two images, > 1.
	MaxScale float64 `yaml:"max_scale"`
	// MaxMissed is for how many images in a row the face may be missing, ≥ 0.
	MaxMissed int `yaml:"max_missed"`
	// Appearance is the correlation in [-1, 1] with the last pictures of head and
	// shoulders below which a face in the same place counts as another person's;
	// -1 turns the check off.
	Appearance float64 `yaml:"appearance"`
}

// QualityConfig says which faces may be scored. A face on the wrong side of
// any limit is not scored and the person is told the reason.
type QualityConfig struct {
	// MinSize is the longer side of the smallest face that is scored.
	MinSize float64 `yaml:"min_size"`
	// MinBlur is the least variance of the Laplacian on the 224×224 crop's luma. A crop that is below it only for
	// lack of contrast gets the reason low_contrast instead of blurred.
	MinBlur float64 `yaml:"min_blur"`
	// MinExposure and MaxExposure bound the crop's mean luma, in [0, 255].
	MinExposure float64 `yaml:"min_exposure"`
	MaxExposure float64 `yaml:"max_exposure"`
	// MaxClipped is the largest share of crop pixels at luma ≥ 250.
	MaxClipped float64 `yaml:"max_clipped"`
	// MaxBlack is the largest black level: the luma in [0, 255] that 5 % of the face's middle (half of the crop's width, from the
	// brows to the chin) do not exceed. Haze, a dirty lens and a lamp that shines into it raise it (hazy), and so does too
	// much light (overexposed). 255 turns the check off. docs/quality.md has the measurements behind this, MinContrast and MinBlur.
	MaxBlack float64 `yaml:"max_black"`
	// MinContrast is the least standard deviation of the crop's luma, in levels [0, 128]. A crop that is below it only for lack
	// of light gets the reason too_dark instead of low_contrast. 0 turns the check off.
	MinContrast float64 `yaml:"min_contrast"`
	// MaxYaw and MaxPitch bound the head's turn: 0 frontal, 1 profile.
	MaxYaw   float64 `yaml:"max_yaw"`
	MaxPitch float64 `yaml:"max_pitch"`
	// MaxQuantiser is the largest mean quantiser step around the face, in levels of an 8-bit sample, for a face of at least
	// 197 pixels. A smaller face is enlarged for the scorer, so the limit shrinks in proportion to its size: half the size, half
	// the limit. In (0, 1000]; 1000 turns the check off. docs/encoders.md has the measurements behind this and MinBits.
	MaxQuantiser float64 `yaml:"max_quantiser"`
	// MinBits is a number of bits per pixel of the scorer's input, [0, 10]. Below it, MaxQuantiser shrinks in proportion to the
	// bits; this concerns H.264 only. 0 switches it off.
	MinBits float64 `yaml:"min_bits"`
	// MaxOutside is the share of the face's box that may lie outside the picture.
	MaxOutside float64 `yaml:"max_outside"`
}

// Unlimited are limits that refuse no face, for measuring what limits cost and save.
func Unlimited() QualityConfig {
	return QualityConfig{MaxExposure: 255, MaxClipped: 1, MaxBlack: 255, MaxYaw: 1, MaxPitch: 1, MaxOutside: 1, MaxQuantiser: 1000}
}

// DefaultConfig returns the settings that the service starts with.
func DefaultConfig() Config {
	return Config{
		Width: 320, Height: 256,
		Confidence: 0.6, NMS: 0.4, MinFace: 24,
		Cascade:      "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml",
		OtherMinArea: 0.25, OtherConfidence: 0.95,
		Follow: FollowConfig{Every: time.Second, Regions: []Size{{128, 160}, {160, 192}, {192, 224}}},
		Track:  TrackConfig{IoU: 0.3, MaxScale: 1.5, MaxMissed: 2, Appearance: 0.6},
		Quality: QualityConfig{
			MinSize: 80, MinBlur: 4, MinExposure: 40, MaxExposure: 225, MaxClipped: 0.5, MaxBlack: 120, MinContrast: 18,
			MaxYaw: 0.6, MaxPitch: 0.6, MaxOutside: 0.1,
			MaxQuantiser: 18, MinBits: 0.05,
		},
	}
}

// Validate reports every setting out of its range; each error begins with the key.
func (c Config) Validate() error {
	return errors.Join(
		inputSide("width", c.Width),
		inputSide("height", c.Height),
		check.Above("confidence", c.Confidence, 0, 1),
		check.Between("nms", c.NMS, 0, 1),
		check.In("min_face", c.MinFace, 1, 4096),
		check.In("parallel", c.Parallel, 0, 1024),
		check.Above("other_min_area", c.OtherMinArea, 0, 1),
		check.Above("other_confidence", c.OtherConfidence, 0, 1),
		provider(c.Provider),
		c.Follow.validate(),
		c.Track.validate(),
		c.Quality.validate(),
	)
}

// regions are the sizes in use; none when following is off.
func (c FollowConfig) regions() []Size {
	if c.Every == 0 {
		return nil
	}
	return c.Regions
}

func (c FollowConfig) validate() error {
	errs := []error{check.In("follow.every", c.Every, 0, time.Minute)}
	for _, s := range c.Regions {
		errs = append(errs, inputSide("follow.regions", s.Width), inputSide("follow.regions", s.Height))
	}
	errs = append(errs, check.That("follow.regions", slices.IsSortedFunc(c.Regions, func(a, b Size) int {
		return a.Width*a.Height - b.Width*b.Height
	}), "%v are not in ascending order", c.Regions))
	return errors.Join(errs...)
}

func (c TrackConfig) validate() error {
	return errors.Join(
		check.Between("track.iou", c.IoU, 0, 1),
		check.Above("track.max_scale", c.MaxScale, 1, 10),
		check.In("track.max_missed", c.MaxMissed, 0, 1000),
		check.In("track.appearance", c.Appearance, -1, 1),
	)
}

func (c QualityConfig) validate() error {
	return errors.Join(
		check.In("quality.min_size", c.MinSize, 0, 4096),
		check.In("quality.min_blur", c.MinBlur, 0, 1e6),
		check.In("quality.min_exposure", c.MinExposure, 0, 255),
		check.In("quality.max_exposure", c.MaxExposure, 0, 255),
		check.In("quality.max_clipped", c.MaxClipped, 0, 1),
		check.In("quality.max_black", c.MaxBlack, 0, 255),
		check.In("quality.min_contrast", c.MinContrast, 0, 128),
		check.Above("quality.max_yaw", c.MaxYaw, 0, 1),
		check.Above("quality.max_pitch", c.MaxPitch, 0, 1),
		check.In("quality.max_outside", c.MaxOutside, 0, 1),
		check.Above("quality.max_quantiser", c.MaxQuantiser, 0, 1000),
		check.In("quality.min_bits", c.MinBits, 0, 10),
		check.That("quality.max_exposure", !(c.MaxExposure <= c.MinExposure),
			"%v is not above min_exposure %v", c.MaxExposure, c.MinExposure),
	)
}

// at is the configuration of a network with another input size.
func (c Config) at(s Size) Config {
	c.Width, c.Height = s.Width, s.Height
	return c
}

// parallel is the number of pictures that may be searched at once, ≥ 1.
func (c Config) parallel() int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

// provider accepts the providers of package onnx, and "".
func provider(p onnx.Provider) error {
	if p == "" {
		return nil
	}
	cfg := onnx.DefaultConfig()
	cfg.Provider = p
	return cfg.Validate()
}

func inputSide(key string, v int) error {
	if err := check.In(key, v, 64, 1920); err != nil {
		return err
	}
	return check.That(key, v%32 == 0, "%d is not a multiple of 32", v)
}
