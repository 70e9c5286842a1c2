package benchmark

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Other programs read these keys; they are added to, never renamed.
func TestListingAsJSON(t *testing.T) {
	encoded, err := json.Marshal(Known().List())
	require.NoError(t, err)
	var l struct {
		Datasets, Protocols []map[string]any
		Populations, PAIs   []string
	}
	require.NoError(t, json.Unmarshal(encoded, &l))
	require.Equal(t, []string{"split", "all-nodev", "everything"}, l.Populations)
	require.Equal(t, []string{"none", "print", "cut", "replay"}, l.PAIs)
	var brief []string
	for _, d := range l.Datasets {
		brief = append(brief, fmt.Sprintf("%v %v %v %v %v %v", d["letter"], d["name"], d["title"], d["has_dev"], d["subjects"], d["first_person"]))
	}
	require.Subset(t, brief, []string{"O oulu OULU-NPU true 55 0", "C casia CASIA-FASD false 50 60", "I replay Replay-Attack true 50 111", "M msu MSU-MFSD false 35 231"})
	require.Contains(t, l.Protocols, map[string]any{
		"name": "oulu-1", "kind": "intra", "train": []any{"oulu"}, "test": []any{"oulu"}, "folds": []any{"oulu-1"}, "domains": 2.0,
		"has_dev": true, "dev_in": []any{"split", "all-nodev", "everything"},
	})
	require.Contains(t, l.Protocols, map[string]any{
		"name": "ICM-O", "kind": "cross", "train": []any{"replay", "casia", "msu"}, "test": []any{"oulu"}, "folds": []any{"ICM-O"}, "domains": 3.0,
		"has_dev": true, "dev_in": []any{"split", "all-nodev"},
	})
}

// What the list says of a protocol is what opening and applying it gives.
func TestListingAgreesWithTheProtocols(t *testing.T) {
	videos, folds := everyVideo(), 0
	for _, listed := range Known().List().Protocols {
		for _, name := range listed.Folds {
			folds++
			for _, population := range Populations() {
				p, err := Known().Protocol(name, population)
				require.NoError(t, err)
				require.Equal(t, listed.Domains, p.Domains)
				trained, tested, dev, domains := map[string]bool{}, map[string]bool{}, false, map[int]bool{}
				for _, u := range p.Apply(videos) {
					switch u.Role {
					case RoleTrain:
						trained[u.Dataset], domains[u.Domain] = true, true
					case RoleTest:
						tested[u.Dataset] = true
					case RoleDev:
						dev = true
					}
				}
				require.Len(t, domains, listed.Domains, name)
				requireSet(t, listed.Train, trained)
				requireSet(t, listed.Test, tested)
				require.Equal(t, strings.Contains(joined(listed.DevIn), string(population)), dev, "%s %s", name, population)
			}
		}
	}
	require.Len(t, Known().Protocols(PopulationSplit), folds, "every protocol is a fold of one that is listed")
}

func requireSet(t *testing.T, want []string, got map[string]bool) {
	t.Helper()
	require.Len(t, got, len(want))
	for _, name := range want {
		require.True(t, got[name], name)
	}
}

func TestListingAsText(t *testing.T) {
	var text strings.Builder
	require.NoError(t, Known().List().Text(&text))
	require.Regexp(t, `(?m)^casia +C +CASIA-FASD +600 +train test$`, text.String())
	require.Regexp(t, `(?m)^oulu-4 +intra +oulu +oulu +2 +yes +oulu-4.1 oulu-4.2 oulu-4.3 oulu-4.4 oulu-4.5 oulu-4.6$`, text.String())
	require.Regexp(t, `(?m)^OCI-M +cross +oulu casia replay +msu +3 +split all-nodev +$`, text.String())
	require.Contains(t, text.String(), "Populations of cross-dataset protocols: split all-nodev everything\n")
}
