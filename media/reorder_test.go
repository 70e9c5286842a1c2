package media

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// bPictures encodes 91 pictures in the order I P B B P B B …, with the presentation time that RTP would carry.
func bPictures(t *testing.T, edit func([]byte) []byte) []liveproof.AccessUnit {
	t.Helper()
	units := refreshed(t, "keyint=1000:bframes=2:b-adapt=0:b-pyramid=none:rc-lookahead=5", edit)[:91]
	for i := range units {
		shown := i
		switch {
		case i > 0 && i%3 == 1:
			shown = i + 2
		case i > 0:
			shown = i - 1
		}
		units[i].PTS = time.Duration(shown) * time.Second / 30
	}
	return units
}

// TestStreamReordersBPictures: pictures come out in presentation order, each with its own time, whether the stream says how
// far it reorders or not. While the decoder learns that, it leaves out a few B pictures.
func TestStreamReordersBPictures(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MinPictureRate = 0
	for name, c := range map[string]struct {
		edit  func([]byte) []byte
		least int
	}{"reordering is stated": {asIs, 91}, "reordering is not stated": {noVUI, 80}} {
		t.Run(name, func(t *testing.T) {
			all, counts, src, err := playWith(t, cfg, bPictures(t, c.edit))
			require.NoError(t, err)
			t.Logf("%d shown, %+v", len(all), counts)
			require.GreaterOrEqual(t, len(all), c.least)
			require.Zero(t, counts.TotalDropped())
			require.Empty(t, src.requests)
			stated, _, _, err := playWith(t, cfg, bPictures(t, asIs))
			require.NoError(t, err)
			at := map[time.Duration]uint64{}
			for _, p := range stated {
				at[p.at] = p.digest
			}
			for i, p := range all {
				require.Equal(t, at[p.at], p.digest, "picture %v", p.at)
				if i > 0 {
					require.Greater(t, p.at, all[i-1].at)
				}
			}
		})
	}
}

// TestStreamChangesWithinAStream: new parameter sets in the access unit of a key frame take effect with it. With a picture that is
// no key frame they contradict what it refers to, and nothing is shown before the next key frame.
func TestStreamChangesWithinAStream(t *testing.T) {
	small := encode(t, liveproof.CodecH264, noisy("160x128", 6))
	large := encode(t, liveproof.CodecH264, noisy("320x240", 6))
	sets, _ := cutParameterSets(large[0].Data)
	other := small[3]
	other.Data = append(append([]byte{}, sets...), other.Data...)
	for name, c := range map[string]struct {
		units []liveproof.AccessUnit
		want  []int // widths
	}{
		"with a key frame":           {append(append([]liveproof.AccessUnit{}, small[:3]...), large[:3]...), []int{160, 160, 160, 320, 320, 320}},
		"and back":                   {append(append(append([]liveproof.AccessUnit{}, small[:2]...), large[:2]...), small[:2]...), []int{160, 160, 320, 320, 160, 160}},
		"with a P picture":           {append(append([]liveproof.AccessUnit{}, small[:3]...), other, small[4], small[5]), []int{160, 160, 160}},
		"with a P picture, then key": {append(append([]liveproof.AccessUnit{}, small[:3]...), other, small[4], large[0], large[1]), []int{160, 160, 160, 320, 320}},
	} {
		t.Run(name, func(t *testing.T) {
			all, counts, _, err := play(t, c.units)
			require.NoError(t, err)
			var widths []int
			for _, p := range all {
				widths = append(widths, p.width)
			}
			require.Equal(t, c.want, widths, "%+v", counts)
		})
	}
}
