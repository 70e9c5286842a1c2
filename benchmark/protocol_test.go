package benchmark

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func everyVideo() (videos []Video) {
	for _, d := range Known().Datasets() {
		videos = append(videos, d.Videos...)
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
	p, err := Known().Protocol(name, population)
	require.NoError(t, err)
	return p.Apply(everyVideo())
}

func TestShortfalls(t *testing.T) {
	p, err := Known().Protocol("oulu-1", "")
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
	videos := everyVideo()
	for _, s := range Known().settings {
		for _, population := range Populations() {
			for _, u := range s.protocol(population).Apply(videos) {
				target := u.Dataset == s.target.Name
				if target != (u.Role == RoleTest) || u.Domain != slices.Index(names(s.sources), u.Dataset) {
					t.Fatalf("%s %s: %+v", s.name, population, u)
				}
			}
		}
	}
}

// A setting's letters are its sources, in the order of their domains, and its target.
func TestSettingsReadLetters(t *testing.T) {
	p, err := Known().Protocol("ICM-O", "")
	require.NoError(t, err)
	require.Equal(t, Cross, p.Kind())
	require.Equal(t, []string{"replay", "casia", "msu"}, p.Train())
	require.Equal(t, []string{"oulu"}, p.Test())
	require.Equal(t, 3, p.Domains)
}
