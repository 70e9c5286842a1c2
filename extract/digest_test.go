package extract

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/media"
)

const someNetwork = "b0e7c1f6"

// configured are all the settings that the digest is made from.
type configured struct {
	Detector detector.Config `yaml:"detector"`
	Media    media.Config    `yaml:"media"`
}

func (c configured) digest(t *testing.T, network string) string {
	t.Helper()
	sum, err := digest(network, c.Detector, c.Media)
	require.NoError(t, err)
	return sum
}

func defaults() configured {
	return configured{detector.DefaultConfig(), media.DefaultConfig()}
}

// If this value changes, no earlier extraction can be continued.
func TestDigestOfTheDefaults(t *testing.T) {
	require.Equal(t, "a8606892ed94abe1", defaults().digest(t, someNetwork))
}

// changesCrops says for every setting whether it changes the crops of a video. A new
// setting of the configuration must be added here, and if it does, to the digest.
var changesCrops = map[string]bool{
	"detector.width": true, "detector.height": true, "detector.confidence": true, "detector.nms": true, "detector.min_face": true,
	"detector.other_min_area": true, "detector.other_confidence": true,
	"detector.track.iou": true, "detector.track.max_scale": true, "detector.track.max_missed": true, "detector.track.appearance": true,
	"media.max_pixels": true, "media.raw_frame_rate": true,

	// Hardware and speed.
	"detector.parallel": false, "detector.provider": false, "detector.cascade": false, "media.threads": false, "media.open_timeout": false,
	// It applies to live streams only.
	"media.min_picture_rate": false,
	// Extraction searches the whole of every picture.
	"detector.follow.every": false, "detector.follow.regions": false,
	// Limits of quality: extraction rejects nothing.
	"detector.quality.min_size": false, "detector.quality.min_blur": false, "detector.quality.min_exposure": false,
	"detector.quality.max_exposure": false, "detector.quality.max_clipped": false, "detector.quality.max_black": false, "detector.quality.min_contrast": false, "detector.quality.max_yaw": false,
	"detector.quality.max_pitch": false, "detector.quality.max_outside": false, "detector.quality.max_quantiser": false,
	"detector.quality.min_bits": false,
}

func TestDigestTellsSettingsApart(t *testing.T) {
	digests := map[string]string{defaults().digest(t, someNetwork): "the defaults", defaults().digest(t, ""): "another network"}
	require.Len(t, digests, 2)
	decided := 0
	c := defaults()
	leaves(reflect.ValueOf(&c).Elem(), "", func(key string, v reflect.Value) {
		matters, ok := changesCrops[key]
		require.True(t, ok, "%s: does it change crops?", key)
		decided++
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		change(v)
		sum := c.digest(t, someNetwork)
		v.Set(old)
		if other, there := digests[sum]; matters {
			require.False(t, there, "%s gives the digest of %s", key, other)
			digests[sum] = key
		} else {
			require.Equal(t, "the defaults", other, "%s changes the digest", key)
		}
	})
	require.Equal(t, len(changesCrops), decided, "changesCrops names settings that are no more")
}

// leaves visits every value of a configuration by its key.
func leaves(v reflect.Value, prefix string, visit func(string, reflect.Value)) {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if field := v.Field(i); field.Kind() == reflect.Struct {
			leaves(field, prefix+name+".", visit)
		} else {
			visit(prefix+name, field)
		}
	}
}

func change(v reflect.Value) {
	switch {
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.CanFloat():
		v.SetFloat(v.Float() + 1./64)
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	case v.Kind() == reflect.Slice:
		v.SetZero()
	default:
		panic(v.Kind())
	}
}
