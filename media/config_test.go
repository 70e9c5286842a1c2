package media

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	require.Equal(t, 1920*1920, DefaultConfig().MaxPixels)
	for key, change := range map[string]func(*Config){
		"max_pixels: ":       func(c *Config) { c.MaxPixels = 1 << 28 },
		"threads: ":          func(c *Config) { c.Threads = 17 },
		"min_picture_rate: ": func(c *Config) { c.MinPictureRate = math.NaN() },
		"raw_frame_rate: ":   func(c *Config) { c.RawFrameRate = math.NaN() },
		"open_timeout: ":     func(c *Config) { c.OpenTimeout = -time.Second },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		require.ErrorContains(t, cfg.Validate(), key)
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	err := Config{RawFrameRate: math.Inf(1)}.Validate()
	for _, key := range []string{"max_pixels: ", "threads: ", "raw_frame_rate: ", "open_timeout: "} {
		require.ErrorContains(t, err, key)
	}
}

func TestCapCountsWidthAsAllocated(t *testing.T) {
	cfg := DefaultConfig()
	for _, c := range []struct {
		w, h int
		over bool
	}{
		{1920, 1920, false}, {1080, 1920, false}, {1920, 1080, false}, {1921, 1920, true},
		{7680, 4320, true}, {32768, 64, false}, {32769, 1, true}, {1, 32769, true},
	} {
		require.Equal(t, c.over, cfg.overCap(c.w, c.h), "%d×%d", c.w, c.h)
	}
}
