package media

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// iPictures makes every 20th picture an I picture that is no IDR picture, without B pictures between.
const iPictures = "open-gop=1:keyint=20:min-keyint=20:bframes=1:b-adapt=1:b-bias=-100:rc-lookahead=5"

// entered are H.264 streams with one IDR picture, the first, that can be entered later all the same. Their access
// units are in decoding order, and so are the timestamps.
var entered = []struct {
	name    string
	options string // of x264
	edit    func(nal []byte) []byte
	least   int // of 150 pictures, at least so many are shown after a loss at the 30th
}{
	{"intra refresh", "intra-refresh=1:keyint=20", asIs, 80},
	{"intra refresh, several references", "intra-refresh=1:keyint=20:ref=4", asIs, 80},
	{"intra refresh, slices", "intra-refresh=1:keyint=20:slices=3", asIs, 80},
	{"intra refresh, B pictures", "intra-refresh=1:keyint=20:ref=3:bframes=2:b-adapt=0:rc-lookahead=5", asIs, 60},
	{"open groups of pictures", iPictures + ":ref=3", asIs, 100},
	{"open groups of pictures, B pictures", "open-gop=1:keyint=20:min-keyint=20:bframes=3:b-adapt=0:b-pyramid=normal:rc-lookahead=5", asIs, 80},
	{"open groups of pictures, B pictures, no word on reordering", "open-gop=1:keyint=20:min-keyint=20:bframes=3:b-adapt=0:b-pyramid=none:rc-lookahead=5", noVUI, 60},
	{"I pictures without a message, one reference", iPictures + ":ref=1", oneReference, 100},
	{"I pictures without a message, one reference, slices", iPictures + ":ref=1:slices=3", oneReference, 100},
}

func asIs(nal []byte) []byte { return nal }

// noSEI takes SEI messages out.
func noSEI(nal []byte) []byte {
	if nal[0]&0x1f == 6 {
		return nil
	}
	return nal
}

// oneReference takes SEI messages out, and changes max_num_ref_frames from 2 to 1: x264 refers to the picture before
// alone, and allows for two because B pictures could come.
func oneReference(nal []byte) []byte {
	if nal[0]&0x1f == 7 && nal[4] == 0xf6 {
		nal = bytes.Clone(nal)
		nal[4] = 0xf4
	}
	return noSEI(nal)
}

// noVUI ends a sequence parameter set of the main profile, without cropping, before its VUI. The decoder then does not
// know how far pictures are reordered.
func noVUI(nal []byte) []byte {
	if nal[0]&0x1f != 7 {
		return nal
	}
	at := 32 // bits: after header, profile, constraints and level
	bit := func() bool { at++; return nal[(at-1)/8]>>(7-(at-1)%8)&1 == 1 }
	ue := func() {
		zeros := 0
		for !bit() {
			zeros++
		}
		at += zeros
	}
	for range 5 { // id, frame_num, order type, order, references
		ue()
	}
	at++ // gaps
	ue()
	ue()
	at += 3 // frames only, direct_8x8, cropping
	nal = bytes.Clone(nal[:at/8+1])
	nal[at/8] &= 0xff << (8 - at%8) // vui_parameters_present_flag is 0
	if at%8 == 7 {
		return append(nal, 0x80)
	}
	nal[at/8] |= 0x80 >> (at%8 + 1)
	return nal
}

// refreshed encodes 150 pictures, as the depacketizer gives them.
func refreshed(t testing.TB, options string, edit func([]byte) []byte) []liveproof.AccessUnit {
	t.Helper()
	data, err := os.ReadFile(ffmpeg(t, "clip.h264", append(noisy("160x128", 150), "-c:v", "libx264", "-profile:v", "main",
		"-preset", "ultrafast", "-b:v", "600k", "-x264-params", "aud=1:scenecut=0:"+options)...))
	require.NoError(t, err)
	d := codecs.Find(liveproof.CodecH264).NewDepacketizer("")
	var units []liveproof.AccessUnit
	for _, part := range splitAUD(data) {
		d.Reset()
		for _, nal := range nals(part) {
			if nal = edit(nal); nal != nil {
				require.NoError(t, d.Add(nal))
			}
		}
		u, err := d.Finish(nil)
		require.NoError(t, err)
		units = append(units, liveproof.AccessUnit{
			Codec: liveproof.CodecH264, PTS: time.Duration(len(units)) * time.Second / 30, Key: u.Key, Discardable: u.Discardable, Data: u.Data,
		})
	}
	require.Len(t, units, 150)
	return units
}

// digests of what the whole stream shows, by time.
func digests(t testing.TB, units []liveproof.AccessUnit) map[time.Duration]uint64 {
	t.Helper()
	cfg := DefaultConfig()
	cfg.MinPictureRate = 0
	all, _, _, err := playWith(t, cfg, units)
	require.NoError(t, err)
	clean := map[time.Duration]uint64{}
	for _, p := range all {
		clean[p.at] = p.digest
	}
	return clean
}

// TestStreamEntersAtRecoveryPoints: joined midway and after a loss, a stream without another IDR picture is shown again, and
// every picture is the sender's, bit for bit.
func TestStreamEntersAtRecoveryPoints(t *testing.T) {
	for _, c := range entered {
		t.Run(c.name, func(t *testing.T) {
			units := refreshed(t, c.options, c.edit)
			clean := digests(t, units)
			require.GreaterOrEqual(t, len(clean), 148)
			for name, cut := range map[string][]liveproof.AccessUnit{
				"joined": append([]liveproof.AccessUnit{}, units[30:]...),
				"lost":   append(append([]liveproof.AccessUnit{}, units[:25]...), units[30:]...),
			} {
				after := units[30].PTS
				for i := range cut {
					cut[i].Gap = cut[i].PTS == after
				}
				all, counts, _, err := play(t, cut)
				require.NoError(t, err)
				shown := 0
				for _, p := range all {
					require.Equal(t, clean[p.at], p.digest, "%s: picture %v", name, p.at)
					if p.at >= after {
						shown++
					}
				}
				require.GreaterOrEqual(t, shown+int(counts.Skipped), c.least, name)
				require.Zero(t, counts.Dropped[DropDecodeError]+counts.Dropped[DropCorrupt], name)
				t.Logf("%s: %d shown after it, %+v", name, shown, counts)
			}
		})
	}
}

// TestStreamShowsOnlyExactPictures: whatever pictures are lost, what is shown is what the sender encoded.
func TestStreamShowsOnlyExactPictures(t *testing.T) {
	for _, c := range entered {
		t.Run(c.name, func(t *testing.T) {
			units := refreshed(t, c.options, c.edit)
			clean := digests(t, units)
			shown := 0
			for seed := range uint64(6) {
				random := rand.New(rand.NewPCG(seed, 4))
				var kept []liveproof.AccessUnit
				gap := false
				for i, left := random.IntN(40), 0; i < len(units); i++ {
					if left == 0 && random.Float64() < 0.01 {
						left = 1 + random.IntN(5)
					}
					if left > 0 {
						left, gap = left-1, true
						continue
					}
					u := units[i]
					u.Gap, gap = gap, false
					kept = append(kept, u)
				}
				all, _, _, err := play(t, kept)
				require.NoError(t, err)
				for _, p := range all {
					require.Equal(t, clean[p.at], p.digest, "seed %d: picture %v", seed, p.at)
				}
				shown += len(all)
			}
			require.Greater(t, shown, 100)
		})
	}
}

// TestStreamDoesNotEnterElsewhere: an I picture that others before it may outlive, and an intra refresh
// that does not say where it ends, are no place to begin.
func TestStreamDoesNotEnterElsewhere(t *testing.T) {
	several := refreshed(t, iPictures+":ref=4", noSEI)
	silent := refreshed(t, "intra-refresh=1:keyint=20", noSEI)
	for name, units := range map[string][]liveproof.AccessUnit{"I pictures, several references": several, "P pictures": silent} {
		t.Run(name, func(t *testing.T) {
			for i, u := range units {
				require.Equal(t, i == 0, u.Key, "picture %d", i)
			}
			all, _, src, err := play(t, units[30:])
			require.NoError(t, err)
			require.Empty(t, all)
			require.NotEmpty(t, src.requests)
		})
	}
}

// TestStreamDoesNotTrustInexactPoints: a message that promises similar pictures, sooner than the one at which the decoder
// was opened, is not followed; FFmpeg follows it.
func TestStreamDoesNotTrustInexactPoints(t *testing.T) {
	units := refreshed(t, "intra-refresh=1:keyint=20", asIs)
	clean := digests(t, units)
	for i := 42; i < len(units); i += 20 {
		units[i].Data = append([]byte{0, 0, 0, 1, 6, 6, 1, 0x84, 0x80}, units[i].Data...) // now, inexact
	}
	all, _, _, err := play(t, units[40:])
	require.NoError(t, err)
	require.Greater(t, len(all), 80)
	for _, p := range all {
		require.Equal(t, clean[p.at], p.digest, "picture %v", p.at)
	}
}
