package benchmark

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestOULU(t *testing.T) {
	facts{
		counts:   map[Split][2]int{Train: {1440, 360}, Dev: {1080, 270}, Test: {1440, 360}},
		subjects: 55, perSubject: 90,
		names: []Video{ // the phone is first, the session second
			{ID: "Train_files/6_1_01_3", Split: Train, Subject: "01", Session: "1", Camera: "6", PAI: Print, Instrument: "print2"},
			{ID: "Dev_files/1_3_35_1", Split: Dev, Subject: "35", Session: "3", Camera: "1", PAI: BonaFide},
			{ID: "Test_files/2_3_55_5", Split: Test, Subject: "55", Session: "3", Camera: "2", PAI: Replay, Instrument: "display2"},
		},
		strangers:  []string{"Train_files/1_1_21_1", "Train_files/7_1_01_1", "Train_files/1_1_01_6"},
		annotation: "0,100,200,160,200\r\n1,101,200,161,200",
		half:       map[string][2]int{"1": {544, 960}, "2": {544, 960}, "3": {544, 960}, "4": {544, 960}, "5": {544, 960}, "6": {544, 960}},
		rate:       30,
	}.check(t, open(t, "oulu"))
}

// The table of the published list files, as attacks and bona fide.
func TestOULUProtocols(t *testing.T) {
	want := map[string]map[Role][2]int{
		"oulu-1": {RoleTrain: {960, 240}, RoleDev: {720, 180}, RoleTest: {480, 120}},
		"oulu-2": {RoleTrain: {720, 360}, RoleDev: {540, 270}, RoleTest: {720, 360}},
	}
	for k := 1; k <= 6; k++ {
		want[fmt.Sprintf("oulu-3.%d", k)] = map[Role][2]int{RoleTrain: {1200, 300}, RoleDev: {900, 225}, RoleTest: {240, 60}}
		want[fmt.Sprintf("oulu-4.%d", k)] = map[Role][2]int{RoleTrain: {400, 200}, RoleDev: {300, 150}, RoleTest: {40, 20}}
	}
	domains := map[byte]int{'1': 2, '2': 3, '3': 3, '4': 2}
	for name, counts := range want {
		uses := apply(t, name, PopulationSplit)
		require.Equal(t, counts, roleCounts(uses), name)
		seen := map[int]bool{}
		for _, u := range uses {
			if (u.Role == RoleTest) != (u.Domain == NoDomain) || string(u.Role) != string(u.Split) || u.Domain >= domains[name[5]] {
				t.Fatalf("%s: %+v", name, u)
			}
			if u.Role != RoleTest {
				seen[u.Domain] = true
			}
		}
		require.Len(t, seen, domains[name[5]], name)
		p, err := Known().Protocol(name, "")
		require.NoError(t, err)
		require.Equal(t, domains[name[5]], p.Domains)
	}
	require.Len(t, open(t, "oulu").Protocols, 14)
	for _, u := range apply(t, "oulu-3.4", PopulationSplit) {
		require.Equal(t, u.Role == RoleTest, u.Camera == "4", "the fourth phone is unseen")
	}
	for _, u := range apply(t, "oulu-4.1", PopulationSplit) {
		require.Equal(t, u.Role == RoleTest, u.Session == "3", "the third session is unseen")
	}
}

// Protocols 2 and 4 test with the other printer and the other display.
func TestOULUInstruments(t *testing.T) {
	for _, name := range []string{"oulu-2", "oulu-4.1", "oulu-4.6"} {
		seen := map[string]bool{}
		for _, u := range apply(t, name, PopulationSplit) {
			if u.PAI == BonaFide {
				continue
			}
			file := u.ID[strings.LastIndexByte(u.ID, '_')+1:]
			require.Equal(t, u.Role == RoleTest, file == "3" || file == "5", "%s: %s", name, u.ID)
			seen[u.Instrument] = true
		}
		require.Len(t, seen, 4, name)
	}
}

func TestOULUEyes(t *testing.T) {
	rows, err := parseOULUEyes(strings.NewReader("0,400,600,700,610\n\n1,401,600,701,610\n"))
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, &[2]liveproof.Point{{X: 401, Y: 600}, {X: 701, Y: 610}}, rows[1].Eyes)
}

func TestOULUListFiles(t *testing.T) {
	d, root := open(t, "oulu"), t.TempDir()
	plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Dev: 1, Test: 1}})
	list := filepath.Join(root, "Protocols", "Protocol_1", "Test.txt")
	raw, err := os.ReadFile(list)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(raw), "+1,1_3_36_1\n-1,1_3_36_2\n-1,1_3_36_3\n-2,1_3_36_4\n"), "%s", raw)
	check := func(text string) []Finding {
		touch(t, list, text)
		return verify(t, discover(t, d, root)).Lists
	}
	require.Empty(t, check(strings.TrimSpace(strings.ReplaceAll(string(raw), "\n", "\r\n"))), "CRLF, no newline at the end")

	findings := check(strings.Replace(string(raw), "-2,1_3_36_4", "-1,1_3_36_4", 1))
	require.Len(t, findings, 1)
	require.True(t, findings[0].Warning, "-1 for -2 changes nothing")
	require.Equal(t, 4, findings[0].Line)

	findings = check(strings.Replace(string(raw), "-2,1_3_36_4", "+1,1_3_36_4", 1))
	require.Len(t, findings, 1)
	require.False(t, findings[0].Warning, "the sign must agree")

	findings = check(strings.Replace(string(raw), "+1,1_3_36_1\n", "", 1))
	require.Equal(t, []Finding{{File: "Protocol_1/Test.txt", What: "1_3_36_1 is missing"}}, findings)

	findings = check(string(raw) + "+1,1_1_36_1\n+1,1_3_36_1\n")
	require.Len(t, findings, 2, "another session's, and one twice")

	require.NoError(t, os.Remove(list))
	require.Len(t, verify(t, discover(t, d, root)).Lists, 1, "a list file is missing")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "Protocols")))
	c := verify(t, discover(t, d, root))
	require.Len(t, c.Lists, 1)
	require.True(t, c.Lists[0].Warning, "without lists the table serves, and it is said")
	require.Contains(t, c.Lists[0].What, "not compared")
}

func TestSuffixes(t *testing.T) {
	d, root := open(t, "oulu"), t.TempDir()
	for _, name := range []string{"1_1_01_1.AVI", "1_1_01_2.avi", "1_1_01_2.AVI", "1_1_01_3.mp4", "1_1_01_1.txt", "1_1_99_1.avi", "notes.mov"} {
		touch(t, filepath.Join(root, "Train_files", name), "")
	}
	tree := discover(t, d, root)
	require.Len(t, tree.Files, 3)
	require.Equal(t, "1_1_01_2.avi", filepath.Base(tree.Files[1].Path), "as distributed before others")
	require.Len(t, tree.Extra, 3, "%v", tree.Extra)
}

func TestTwoCopiesAreAmbiguous(t *testing.T) {
	d, root := open(t, "oulu"), t.TempDir()
	for _, folder := range []string{"old", "new"} {
		plant(t, d, filepath.Join(root, folder), LayoutOptions{Subjects: map[Split]int{Train: 1, Dev: 0, Test: 0}})
	}
	_, err := d.Discover(root)
	require.ErrorContains(t, err, "two folders Train_files")
}
