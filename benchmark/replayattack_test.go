package benchmark

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplayAttack(t *testing.T) {
	facts{
		counts:   map[Split][2]int{Train: {300, 60}, Dev: {300, 60}, Test: {400, 80}},
		subjects: 50, perSubject: 24,
		names: []Video{
			{ID: "devel/real/client005_session01_webcam_authenticate_adverse_2", Split: Dev, Subject: "005", Session: "adverse",
				Camera: "webcam", PAI: BonaFide},
			{ID: "train/attack/fixed/attack_print_client001_session01_highdef_photo_controlled", Split: Train, Subject: "001",
				Session: "controlled", Camera: "webcam", PAI: Print, Instrument: "print_highdef_photo_fixed"},
			{ID: "test/attack/hand/attack_mobile_client117_session01_mobile_video_adverse", Split: Test, Subject: "117",
				Session: "adverse", Camera: "webcam", PAI: Replay, Instrument: "mobile_video_hand"},
		},
		strangers:  []string{"train/attack/attack_print_client001_session01_highdef_photo_controlled"},
		annotation: "0 0 0 0 0\n1 10 20 100 120\n",
		half:       map[string][2]int{"webcam": {160, 128}},
		rate:       25,
	}.check(t, open(t, "replay"))
}

// The same device attacks on a tripod and in a hand, and with photos and videos.
func TestReplayAttackInstruments(t *testing.T) {
	in := map[string]Instrument{}
	for _, i := range open(t, "replay").Instruments {
		in[i.Name] = i
	}
	require.Len(t, in, 10)
	require.Equal(t, Instrument{"mobile_video_fixed", Replay, "mobile_video", true, true}, in["mobile_video_fixed"])
	require.Equal(t, Instrument{"print_highdef_photo_hand", Print, "print_highdef_photo", false, false}, in["print_highdef_photo_hand"])
}

// Fixed and hand hold the same file names: only the folder tells the videos apart.
func TestReplayAttackFolderIsPartOfTheIdentity(t *testing.T) {
	names := map[string]int{}
	for _, v := range open(t, "replay").Videos {
		names[fileName(v)]++
	}
	twice := 0
	for _, n := range names {
		if n == 2 {
			twice++
		}
	}
	require.Equal(t, 500, twice)
}

// Replay-Attack's archives each unpack into a folder of their own, and some copies say attk.
func TestReplayAttackVariants(t *testing.T) {
	d, root := open(t, "replay"), t.TempDir()
	plans := plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Dev: 1, Test: 1}})
	for _, g := range []string{"train", "devel", "test"} {
		outer := filepath.Join(root, "replayattack-"+g)
		require.NoError(t, os.Mkdir(outer, 0o755))
		require.NoError(t, os.Rename(filepath.Join(root, g), filepath.Join(outer, g)))
	}
	devel := filepath.Join(root, "replayattack-devel", "devel")
	require.NoError(t, os.Rename(filepath.Join(devel, "attack"), filepath.Join(devel, "attk")))
	touch(t, filepath.Join(root, "face-locations", "train", "real", "client001_session01_webcam_authenticate_adverse_1.face"), "0 1 1 1 1")
	touch(t, filepath.Join(root, "enroll", "train", "real", "client001_session01_webcam_enroll_adverse_1.mov"), "")
	tree := discover(t, d, root)
	require.Len(t, tree.Files, len(plans))
	require.Empty(t, tree.Extra, "enrolment is none of this")
}
