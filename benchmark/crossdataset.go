package benchmark

import (
	"fmt"
	"slices"
)

// leaveOneOut names the settings: sources, then the target.
var leaveOneOut = []string{"OCI-M", "OMI-C", "OCM-I", "ICM-O"}

// Population is which videos a leave-one-out setting takes. Three conventions
// were published under the same names; their figures do not compare.
type Population string

// The populations.
const (
	// PopulationSplit trains on the official train splits and tests on the target's test split.
	PopulationSplit Population = "split"
	// PopulationAllNoDev takes train and test splits on both sides and leaves dev out.
	PopulationAllNoDev Population = "all-nodev"
	// PopulationEverything takes every video, dev too. It leaves nothing to choose a threshold on.
	PopulationEverything Population = "everything"
)

// Populations lists them, the default first.
func Populations() []Population {
	return []Population{PopulationSplit, PopulationAllNoDev, PopulationEverything}
}

func crossDataset(name string, population Population) (Protocol, error) {
	if !slices.Contains(Populations(), population) {
		return Protocol{}, fmt.Errorf("%q is no population; known are %v", population, Populations())
	}
	sources, target := letterNames(name[:3]), letterNames(name[4:])[0]
	return Protocol{
		Name: name, Datasets: append(slices.Clone(sources), target), Domains: len(sources),
		use: func(v Video) (Role, int) {
			if v.Dataset == target {
				return population.targetRole(v.Split), NoDomain
			}
			domain := slices.Index(sources, v.Dataset)
			if domain < 0 {
				return "", NoDomain
			}
			return population.sourceRole(v), domain
		},
	}, nil
}

func letterNames(letters string) (names []string) {
	for _, letter := range letters {
		for _, b := range builders {
			if b.letter == string(letter) {
				names = append(names, b.name)
			}
		}
	}
	return names
}

func (p Population) targetRole(split Split) Role {
	if split == Test || p == PopulationEverything || p == PopulationAllNoDev && split == Train {
		return RoleTest
	}
	return ""
}

// sourceRole: development is the sources' dev splits; of a source without one,
// its test split as long as that is not trained on.
func (p Population) sourceRole(v Video) Role {
	switch {
	case v.Split == Train || p == PopulationEverything:
		return RoleTrain
	case v.Split == Dev:
		return RoleDev
	case p == PopulationAllNoDev:
		return RoleTrain
	case !hasDev(v.Dataset):
		return RoleDev
	}
	return ""
}

func hasDev(dataset string) bool { return dataset == "oulu" || dataset == "replay" }
