package transcode

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/media"
)

// Config says how files are encoded.
type Config struct {
	// Codec is VP8 or H264.
	Codec liveproof.Codec
	// Bitrate in bit/s, [10_000, 100_000_000].
	Bitrate int
	// LongestSide in pixels, [16, 4096]: larger pictures are scaled down to it, smaller ones are never enlarged.
	LongestSide int
	// KeyFrames is the time between two key pictures, [0, 1h]; 0 makes every picture one.
	KeyFrames time.Duration
	// Preset trades quality for speed. Of VP8 it is libvpx's cpu-used, -16 to 16; "" is -6, libwebrtc's. Of H.264 it is x264's
	// preset, ultrafast to slow; "" is veryfast.
	Preset string
	// MaxDuration of a file, (0, 24h].
	MaxDuration time.Duration
	// TurnedOver turns pictures by 180 degrees, for a file that is stored upside down although no tag says so.
	TurnedOver bool
	// Media bounds what is decoded.
	Media media.Config
}

// DefaultConfig is a call of a laptop's camera: VP8 of 1.5 Mbit/s, 640 pixels.
func DefaultConfig() Config {
	return Config{
		Codec: liveproof.CodecVP8, Bitrate: 1_500_000, LongestSide: 640, KeyFrames: 2 * time.Second,
		MaxDuration: 10 * time.Minute, Media: media.DefaultConfig(),
	}
}

// fourCC of the codecs in an IVF file; the codecs that can be encoded.
var fourCC = map[liveproof.Codec]string{liveproof.CodecVP8: "VP80", liveproof.CodecH264: "H264"}

// presets of x264 that keep up with a camera on an ordinary machine.
var presets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"}

// Validate reports every value that is out of range; each error begins with its name.
func (c Config) Validate() error {
	_, known := fourCC[c.Codec]
	errs := []error{
		check.That("codec", known, "%q is not one of VP8 and H264", c.Codec),
		check.In("bitrate", c.Bitrate, 10_000, 100_000_000),
		check.In("longest_side", c.LongestSide, 16, 4096),
		check.In("key_frames", c.KeyFrames, 0, time.Hour),
		check.Above("max_duration", c.MaxDuration, 0, 24*time.Hour),
		check.Prefix("media.", c.Media.Validate()),
	}
	switch {
	case c.Preset == "":
	case c.Codec == liveproof.CodecVP8:
		n, err := strconv.Atoi(c.Preset)
		errs = append(errs, check.That("preset", err == nil && n >= -16 && n <= 16, "%q is not one of VP8, -16 to 16", c.Preset))
	case c.Codec == liveproof.CodecH264:
		errs = append(errs, check.That("preset", slices.Contains(presets, c.Preset), "%q is not one of H.264, %v", c.Preset, presets))
	}
	return errors.Join(errs...)
}

// fit is the size at which a picture is encoded: even, because chroma has half the resolution.
func (c Config) fit(width, height int) (int, int) {
	if longest := max(width, height); longest > c.LongestSide {
		width, height = width*c.LongestSide/longest, height*c.LongestSide/longest
	}
	return max(2, width&^1), max(2, height&^1)
}

// options are FFmpeg's for the encoder. Those of VP8 are libwebrtc's (constant bitrate, quantiser index 2 to 56 of 63); those of H.264
// are x264's for calls. Both encode with one thread, which makes their output repeatable.
func (c Config) options() map[string]string {
	rate := strconv.Itoa(c.Bitrate)
	o := map[string]string{"b": rate, "maxrate": rate, "bufsize": rate, "g": "100000", "bf": "0", "threads": "1"}
	if c.Codec == liveproof.CodecH264 {
		o["preset"], o["tune"], o["profile"] = cmp.Or(c.Preset, "veryfast"), "zerolatency", "baseline"
		o["forced-idr"] = "1"
		o["x264-params"] = "force-cfr=0:scenecut=0" // rate control by the pictures' times; key pictures only where they are asked for
		return o
	}
	maps.Copy(o, map[string]string{
		"minrate": rate, "deadline": "realtime", "cpu-used": cmp.Or(c.Preset, "-6"), "lag-in-frames": "0", "error-resilient": "1",
		"noise-sensitivity": "1", "static-thresh": "1", "max-intra-rate": "300", "undershoot-pct": "100", "overshoot-pct": "15",
		"qmin": "2", "qmax": "56",
	})
	return o
}
