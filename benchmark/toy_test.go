package benchmark

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// toy is a dataset as a further one would be added: this struct is all that is
// written about it. It has no dev split, keeps annotations in a folder of their own
// and lists subjects in two files.
func toy() Dataset {
	d := Dataset{
		Name: "toy", Letter: "T", Title: "Toy-FAS", FirstPerson: 500,
		Cameras:     []Camera{{"front", ".mov", 200, 100, 10}},
		Instruments: []Instrument{{Name: "poster", PAI: Print}, {Name: "phone", PAI: Replay, Moving: true}},
		Folders:     Folders{Anchors: []string{"learn", "judge"}, Aliases: map[string]string{"persons": "people"}},
		Sidecar:     Sidecar{Folder: "marks", Suffix: ".face", Parse: ParseFaceBoxes},
		Lists:       subjectLists([]subjectList{{"learn.txt", Train}, {"judge.txt", Test}}),
	}
	for person := 1; person <= 6; person++ {
		v := Video{Subject: fmt.Sprint(person), Session: "1", Camera: "front", Split: Train, PAI: BonaFide}
		folder := "learn"
		if person > 3 {
			v.Split, folder = Test, "judge"
		}
		v.ID = fmt.Sprintf("%s/people/%d", folder, person)
		d.Videos = append(d.Videos, v)
		for _, in := range d.Instruments {
			attack := v
			attack.ID, attack.PAI, attack.Instrument = v.ID+"_"+in.Name, in.PAI, in.Name
			d.Videos = append(d.Videos, attack)
		}
	}
	d.Protocols = []Protocol{{Name: "toy-poster", Domains: 1, Assign: func(v Video) (Role, int) {
		switch {
		case v.Split == Test:
			return RoleTest, NoDomain
		case v.PAI == Replay:
			return "", NoDomain
		}
		return RoleTrain, 0
	}}}
	return d
}

func toyCatalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := NewCatalogue([]string{"OM-T", "TM-O"}, oulu(), msu(), toy())
	require.NoError(t, err)
	return c
}

// All generic code works on a dataset that it does not name.
func TestAFurtherDatasetNeedsOnlyItsDeclaration(t *testing.T) {
	d, err := toyCatalogue(t).Open("toy")
	require.NoError(t, err)
	facts{
		counts:   map[Split][2]int{Train: {6, 3}, Test: {6, 3}},
		subjects: 6, perSubject: 3,
		names:      []Video{{ID: "judge/people/6_phone", Split: Test, Subject: "6", Session: "1", Camera: "front", PAI: Replay, Instrument: "phone"}},
		strangers:  []string{"learn/people/6_phone"},
		annotation: "0 1 2 3 4",
		half:       map[string][2]int{"front": {96, 48}},
		rate:       10,
	}.check(t, d)
}

func TestAFurtherDatasetIsLaidOutAndFoundAgain(t *testing.T) {
	d, err := toyCatalogue(t).Open("toy")
	require.NoError(t, err)
	root := filepath.Join(t.TempDir(), "toy")
	plans := layout(t, d, LayoutOptions{Every: 1, Scale: 1, Subjects: map[Split]int{Train: 2, Test: 1}})
	require.NoError(t, d.WriteLayout(root, plans))
	require.DirExists(t, filepath.Join(root, "marks", "learn", "people"))
	require.NoError(t, d.WriteLayout(root, plans), "again into its own folder")
	for _, p := range plans {
		touch(t, filepath.Join(root, p.Path), "")
	}
	c := verify(t, discover(t, d, root))
	require.True(t, c.Complete(), "%+v", c)
	require.Equal(t, [3]any{PlanName, 9, 9}, [3]any{c.By, c.Expected, c.Found})
	require.Empty(t, c.Warnings, "the list files of the layout name the subjects of the plan")
}

func TestAFurtherDatasetHasProtocols(t *testing.T) {
	c := toyCatalogue(t)
	own, err := c.Protocol("toy-poster", "")
	require.NoError(t, err)
	require.Equal(t, map[Role][2]int{RoleTrain: {3, 3}, RoleTest: {6, 3}}, roleCounts(own.Published()))
	target, err := c.Protocol("OM-T", PopulationAllNoDev)
	require.NoError(t, err)
	require.Equal(t, map[Role][2]int{RoleTrain: {2880 + 210, 720 + 70}, RoleDev: {1080, 270}, RoleTest: {12, 6}}, roleCounts(target.Published()))
	source, err := c.Protocol("TM-O", PopulationSplit)
	require.NoError(t, err)
	require.Equal(t, map[Role][2]int{RoleTrain: {6 + 90, 3 + 30}, RoleDev: {6 + 120, 3 + 40}, RoleTest: {1440, 360}}, roleCounts(source.Published()))
	warnings, err := own.Check(own.Published())
	require.NoError(t, err)
	require.Equal(t, []string{"no development videos: there is no threshold but one chosen on the target itself"}, warnings)
}

func TestAFurtherDatasetIsListed(t *testing.T) {
	l := toyCatalogue(t).List()
	encoded, err := json.Marshal(l.Datasets[2])
	require.NoError(t, err)
	require.JSONEq(t, `{"name": "toy", "title": "Toy-FAS", "letter": "T", "has_dev": false, "splits": ["train", "test"], "videos": 18,
		"subjects": 6, "first_person": 500,
		"cameras": [{"name": "front", "suffix": ".mov", "width": 200, "height": 100, "rate": 10}],
		"instruments": [{"name": "poster", "pai": "print", "device": "poster", "moving": false, "fixed": false},
			{"name": "phone", "pai": "replay", "device": "phone", "moving": true, "fixed": false}]}`, string(encoded))
	var text strings.Builder
	require.NoError(t, l.Text(&text))
	require.Regexp(t, `toy +T +Toy-FAS +18 +train test\n`, text.String())
	require.Regexp(t, `toy-poster +intra +toy +toy +1 +no *\n`, text.String())
}
