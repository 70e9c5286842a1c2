package pipeline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// filmed are clips of nine people; two of one person are not cut to each other.
var filmed = map[string][]string{
	"A": {"person_A_640x480.mjpeg"}, "B": {"person_B_640x480.mjpeg"}, "C": {"person_C_640x480.mjpeg"}, "H": {"headpose_640x480.mjpeg"},
	"d6": {"people/person_d6.mp4"}, "d9": {"people/person_d9.mp4"}, "d13": {"people/person_d13.mp4"}, "d19": {"people/person_d19.mp4"},
	"s18": {"people/person_s18.mp4"},
	"asl": {"asl_again.mkv", "asl_please.mkv", "asl_walk.mkv", "asl_brother.mkv", "asl_bird.mkv", "asl_book.mkv"},
}

// edits are the clips' own cuts: the second pictures of pairs, counted in every second picture.
var edits = map[string][]int{"A": {39, 72, 134}, "C": {121}}

// motions are the classes of the change between the two pictures before a cut: from this part of the whole picture on.
var motions = []float64{0, 0.02, 0.05, 0.1}

// found counts what cuts were taken for.
type found struct{ sure, likely, missed int }

// TestCutsRightAfterMotion: what a cut from one filmed person to another is taken for, by the motion in the two pictures before it, at up to
// 15 pictures a second. A clip's own cuts are no motion and are left out. docs/adr/0014-identity.md has the table.
func TestCutsRightAfterMotion(t *testing.T) {
	clips := map[string][][]coarse{}
	for who, names := range filmed {
		for _, name := range names {
			clips[who] = append(clips[who], pictures15(t, name))
		}
	}
	table := make([]found, len(motions))
	for from, scenes := range clips {
		for to, others := range clips {
			for k, scene := range scenes {
				if from != to {
					cutAway(t, fmt.Sprintf("%s %d → %s", from, k, to), scene, edits[from], others, table)
				}
			}
		}
	}
	for k, row := range table {
		t.Logf("motion from %.2f: %d sure, %d likely, %d missed", motions[k], row.sure, row.likely, row.missed)
	}
	require.Zero(t, table[0].missed, "a cut after a person who sits is seen")
}

// cutAway cuts from each picture of a scene to one of another person's, and counts.
func cutAway(t *testing.T, what string, scene []coarse, own []int, others [][]coarse, table []found) {
	t.Helper()
	for i := 1; i < len(scene); i++ {
		if slices.Contains(own, i) {
			continue
		}
		before := compare(&scene[i-1], &scene[i])
		other := others[i%len(others)]
		j := i * 7 % len(other)
		d := compare(&scene[i], &other[j])
		var c cuts
		c.add(d, before)
		row := &table[0]
		for k, least := range motions {
			if before.whole >= least {
				row = &table[k]
			}
		}
		switch {
		case c.sure > 0:
			row.sure++
		case c.likely > 0:
			row.likely++
		default:
			row.missed++
			t.Logf("missed: %s, %d → %d, %d: %+v after %+v", what, i, i%len(others), j, d, before)
		}
	}
}

// pictures15 decodes every second picture of a clip, 12 to 15 a second.
func pictures15(t *testing.T, name string) (all []coarse) {
	t.Helper()
	clip := filepath.Join(os.Getenv("LIVEPROOF_SHARED"), "media", name)
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg")
	}
	if _, err := os.Stat(clip); err != nil {
		t.Skip("needs LIVEPROOF_SHARED: ", err)
	}
	args := []string{"-v", "error", "-threads", "1"}
	if strings.HasSuffix(name, ".mjpeg") {
		args = append(args, "-f", "mjpeg")
	}
	raw, err := exec.Command("ffmpeg", append(args, "-i", clip, "-fps_mode", "passthrough", "-vf", `select=not(mod(n\,2)),scale=64:64:flags=area,format=gray`,
		"-f", "rawvideo", "-")...).Output()
	require.NoError(t, err)
	for ; len(raw) >= len(liveproof.Thumbnail{}); raw = raw[len(liveproof.Thumbnail{}):] {
		all = append(all, coarsen((*liveproof.Thumbnail)(raw)))
	}
	require.NotEmpty(t, all)
	return all
}
