package detector

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		key  string
		edit func(*Config)
	}{
		{"width", func(c *Config) { c.Width = 300 }},
		{"width", func(c *Config) { c.Width = 0 }},
		{"height", func(c *Config) { c.Height = 4096 }},
		{"confidence", func(c *Config) { c.Confidence = 0 }},
		{"confidence", func(c *Config) { c.Confidence = nan }},
		{"nms", func(c *Config) { c.NMS = 1 }},
		{"min_face", func(c *Config) { c.MinFace = 0 }},
		{"parallel", func(c *Config) { c.Parallel = -1 }},
		{"provider", func(c *Config) { c.Provider = "abacus" }},
		{"other_min_area", func(c *Config) { c.OtherMinArea = 0 }},
		{"other_confidence", func(c *Config) { c.OtherConfidence = 1.1 }},
		{"follow.every", func(c *Config) { c.Follow.Every = -time.Second }},
		{"follow.every", func(c *Config) { c.Follow.Every = time.Hour }},
		{"follow.regions", func(c *Config) { c.Follow.Regions = []Size{{128, 160}, {192, 0}} }},
		{"follow.regions", func(c *Config) { c.Follow.Regions = []Size{{100, 160}} }},
		{"follow.regions", func(c *Config) { c.Follow.Regions = []Size{{160, 192}, {128, 160}} }},
		{"track.iou", func(c *Config) { c.Track.IoU = 0 }},
		{"track.max_scale", func(c *Config) { c.Track.MaxScale = 1 }},
		{"track.max_missed", func(c *Config) { c.Track.MaxMissed = -1 }},
		{"track.appearance", func(c *Config) { c.Track.Appearance = -2 }},
		{"quality.min_size", func(c *Config) { c.Quality.MinSize = -1 }},
		{"quality.min_blur", func(c *Config) { c.Quality.MinBlur = nan }},
		{"quality.min_exposure", func(c *Config) { c.Quality.MinExposure = 256 }},
		{"quality.max_exposure", func(c *Config) { c.Quality.MaxExposure = 30 }},
		{"quality.max_clipped", func(c *Config) { c.Quality.MaxClipped = 2 }},
		{"quality.max_yaw", func(c *Config) { c.Quality.MaxYaw = 0 }},
		{"quality.max_pitch", func(c *Config) { c.Quality.MaxPitch = nan }},
		{"quality.max_outside", func(c *Config) { c.Quality.MaxOutside = -0.1 }},
	}
	for _, tt := range tests {
		cfg := DefaultConfig()
		tt.edit(&cfg)
		if err := cfg.Validate(); err == nil || !hasLine(err, tt.key+":") {
			t.Errorf("%s: error %v does not begin with the key", tt.key, err)
		}
		if _, err := Open(cfg, nil, nil, NewMetrics(nil), quiet()); err == nil {
			t.Errorf("%s: opened with a bad value", tt.key)
		}
	}
}

// hasLine reports whether a line of the error begins with prefix.
func hasLine(err error, prefix string) bool {
	return strings.Contains("\n"+err.Error(), "\n"+prefix)
}

func TestValidateReportsEveryFault(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Width, cfg.NMS, cfg.Track.MaxScale, cfg.Quality.MaxYaw, cfg.Quality.MinBlur = 33, 0, 1, 2, -1
	err := cfg.Validate()
	for _, key := range []string{"width:", "nms:", "track.max_scale:", "quality.max_yaw:", "quality.min_blur:"} {
		if err == nil || !hasLine(err, key) {
			t.Errorf("%s is missing in %v", key, err)
		}
	}
}

func TestSizeAsText(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Size
		fine bool
	}{
		{"128x160", Size{128, 160}, true},
		{"0x-1", Size{0, -1}, true}, // refused by Validate
		{"128", Size{}, false},
		{"", Size{}, false},
		{"x", Size{}, false},
		{"128x160x3", Size{}, false},
		{"128 x 160", Size{}, false},
	} {
		var got Size
		if err := got.UnmarshalText([]byte(tt.text)); got != tt.want || (err == nil) != tt.fine {
			t.Errorf("%q: %v, %v; want %v", tt.text, got, err, tt.want)
		}
		if text, err := got.MarshalText(); tt.fine && (err != nil || string(text) != tt.text) {
			t.Errorf("%v as text: %q, %v", got, text, err)
		}
	}
}
