package benchmark

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func open(t testing.TB, name string) *Dataset {
	t.Helper()
	d, err := Open(name)
	require.NoError(t, err)
	return d
}

// tally counts attacks and bona fide videos of each split.
func tally(videos []Video) map[Split][2]int {
	counts := map[Split][2]int{}
	for _, v := range videos {
		c := counts[v.Split]
		c[v.Label()]++
		counts[v.Split] = c
	}
	return counts
}

// The numbers that the datasets' authors and Idiap's tests publish.
func TestPublishedCounts(t *testing.T) {
	for name, want := range map[string]map[Split][2]int{
		"oulu":   {Train: {1440, 360}, Dev: {1080, 270}, Test: {1440, 360}},
		"casia":  {Train: {180, 60}, Test: {270, 90}},
		"replay": {Train: {300, 60}, Dev: {300, 60}, Test: {400, 80}},
		"msu":    {Train: {90, 30}, Test: {120, 40}},
	} {
		d := open(t, name)
		require.Equal(t, want, tally(d.Videos()), name)
		perSubject := map[string]int{}
		for _, v := range d.Videos() {
			perSubject[v.Subject]++
			require.Equal(t, name, v.Dataset)
			require.NotEmpty(t, v.Session)
			require.Equal(t, v.PAI == BonaFide, v.Instrument == "")
		}
		for subject, n := range perSubject {
			require.Equal(t, map[string]int{"oulu": 90, "casia": 12, "replay": 24, "msu": 8}[name], n, "%s of %s", subject, name)
		}
	}
	_, err := Open("siw")
	require.ErrorContains(t, err, "known are oulu, casia, replay, msu")
}

func TestNames(t *testing.T) {
	for _, want := range []Video{
		// The phone is first, the session second; other code swaps them.
		{Dataset: "oulu", ID: "Train_files/6_1_01_3", Split: Train, Subject: "01", Session: "1", Camera: "6", PAI: Print, Instrument: "print2"},
		{Dataset: "oulu", ID: "Dev_files/1_3_35_1", Split: Dev, Subject: "35", Session: "3", Camera: "1", PAI: BonaFide},
		{Dataset: "oulu", ID: "Test_files/2_3_55_5", Split: Test, Subject: "55", Session: "3", Camera: "2", PAI: Replay, Instrument: "display2"},
		// train/5 and test/5 are different people.
		{Dataset: "casia", ID: "train_release/5/HR_3", Split: Train, Subject: "5", Session: "1", Camera: "HR", PAI: Cut, Instrument: "cut"},
		{Dataset: "casia", ID: "test_release/5/HR_1", Split: Test, Subject: "25", Session: "1", Camera: "HR", PAI: BonaFide},
		{Dataset: "casia", ID: "test_release/30/8", Split: Test, Subject: "50", Session: "1", Camera: "B", PAI: Replay, Instrument: "tablet"},
		{Dataset: "replay", ID: "devel/real/client005_session01_webcam_authenticate_adverse_2", Split: Dev, Subject: "005", Session: "adverse",
			Camera: "webcam", PAI: BonaFide},
		{Dataset: "replay", ID: "train/attack/fixed/attack_print_client001_session01_highdef_photo_controlled", Split: Train, Subject: "001",
			Session: "controlled", Camera: "webcam", PAI: Print, Instrument: "print_highdef_photo_fixed"},
		{Dataset: "replay", ID: "test/attack/hand/attack_mobile_client117_session01_mobile_video_adverse", Split: Test, Subject: "117",
			Session: "adverse", Camera: "webcam", PAI: Replay, Instrument: "mobile_video_hand"},
		{Dataset: "msu", ID: "scene01/attack/attack_client055_laptop_SD_printed_photo_scene01", Split: Train, Subject: "055", Session: "1",
			Camera: "laptop", PAI: Print, Instrument: "printed_photo"},
	} {
		got, ok := open(t, want.Dataset).Lookup(want.ID)
		require.True(t, ok, want.ID)
		got.suffix, got.size, got.rate = "", [2]int{}, 0
		require.Equal(t, want, got)
	}
	for dataset, id := range map[string]string{
		"oulu": "Train_files/1_1_21_1", "casia": "train_release/21/1", "replay": "train/attack/attack_print_client001_session01_highdef_photo_controlled",
		"msu": "scene01/real/real_client003_android_SD_scene02",
	} {
		_, ok := open(t, dataset).Lookup(id)
		require.False(t, ok, id)
	}
}

// Fixed and hand hold the same file names: only the folder tells the videos apart.
func TestReplayAttackFolderIsPartOfTheIdentity(t *testing.T) {
	names := map[string]int{}
	for _, v := range open(t, "replay").Videos() {
		names[stem(v)]++
	}
	twice := 0
	for _, n := range names {
		if n == 2 {
			twice++
		}
	}
	require.Equal(t, 500, twice)
}

func TestUpsideDown(t *testing.T) {
	var turned []string
	for _, v := range open(t, "msu").Videos() {
		if v.Turned() == 180 {
			turned = append(turned, v.ID)
		}
	}
	var want []string
	for _, client := range []int{3, 5, 6, 7, 8, 9} {
		want = append(want, fmt.Sprintf("scene01/real/real_client%03d_android_SD_scene01", client))
	}
	require.Equal(t, want, turned)
}
