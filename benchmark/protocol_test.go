package benchmark

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func everyVideo() (videos []Video) {
	for _, d := range All() {
		videos = append(videos, d.Videos()...)
	}
	return videos
}

// roleCounts counts attacks and bona fide videos of each role.
func roleCounts(uses []Use) map[Role][2]int {
	counts := map[Role][2]int{}
	for _, u := range uses {
		c := counts[u.Role]
		c[u.Label()]++
		counts[u.Role] = c
	}
	return counts
}

func apply(t testing.TB, name string, population Population) []Use {
	t.Helper()
	p, err := OpenProtocol(name, population)
	require.NoError(t, err)
	return p.Apply(everyVideo())
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
		p, err := OpenProtocol(name, "")
		require.NoError(t, err)
		require.Equal(t, domains[name[5]], p.Domains)
	}
	require.Len(t, ProtocolNames(), 18)
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

func TestShortfalls(t *testing.T) {
	p, err := OpenProtocol("oulu-1", "")
	require.NoError(t, err)
	all := p.Apply(everyVideo())
	require.Empty(t, p.Shortfalls(all))
	require.Equal(t, []Shortfall{{"oulu", RoleTrain, 1199, 1200}}, p.Shortfalls(all[1:]))
	require.Len(t, p.Shortfalls(nil), 3)
}

func TestLeaveOneOut(t *testing.T) {
	type population map[Role][2]int
	for _, c := range []struct {
		name string
		of   Population
		want population
	}{
		{"OCI-M", PopulationSplit, population{RoleTrain: {1920, 480}, RoleDev: {1080 + 270 + 300, 270 + 90 + 60}, RoleTest: {120, 40}}},
		{"OMI-C", PopulationSplit, population{RoleTrain: {1830, 450}, RoleDev: {1080 + 120 + 300, 270 + 40 + 60}, RoleTest: {270, 90}}},
		{"OCM-I", PopulationSplit, population{RoleTrain: {1710, 450}, RoleDev: {1080 + 270 + 120, 270 + 90 + 40}, RoleTest: {400, 80}}},
		{"ICM-O", PopulationSplit, population{RoleTrain: {570, 150}, RoleDev: {300 + 270 + 120, 60 + 90 + 40}, RoleTest: {1440, 360}}},
		{"OCI-M", PopulationAllNoDev, population{RoleTrain: {2880 + 450 + 700, 720 + 150 + 140}, RoleDev: {1380, 330}, RoleTest: {210, 70}}},
		{"ICM-O", PopulationAllNoDev, population{RoleTrain: {700 + 450 + 210, 140 + 150 + 70}, RoleDev: {300, 60}, RoleTest: {2880, 720}}},
		{"OCM-I", PopulationEverything, population{RoleTrain: {3960 + 450 + 210, 990 + 150 + 70}, RoleTest: {1000, 200}}},
		{"ICM-O", PopulationEverything, population{RoleTrain: {1000 + 450 + 210, 200 + 150 + 70}, RoleTest: {3960, 990}}},
	} {
		require.Equal(t, map[Role][2]int(c.want), roleCounts(apply(t, c.name, c.of)), "%s %s", c.name, c.of)
	}
}

// Nothing of the target may be learned from or developed on, in any population.
func TestLeaveOneOutLeavesOut(t *testing.T) {
	letters := map[string]string{}
	for _, d := range All() {
		letters[d.Name] = d.Letter
	}
	videos := everyVideo()
	for _, name := range leaveOneOut {
		for _, population := range Populations() {
			p, err := OpenProtocol(name, population)
			require.NoError(t, err)
			for _, u := range p.Apply(videos) {
				target := letters[u.Dataset] == name[4:]
				if target != (u.Role == RoleTest) || u.Domain != strings.Index(name[:3], letters[u.Dataset]) {
					t.Fatalf("%s %s: %+v", name, population, u)
				}
			}
		}
	}
}

func TestUnknownProtocol(t *testing.T) {
	_, err := OpenProtocol("OCM-O", PopulationSplit)
	require.ErrorContains(t, err, "known are oulu-1")
	_, err = OpenProtocol("OCI-M", "most")
	require.ErrorContains(t, err, "known are [split all-nodev everything]")
}
