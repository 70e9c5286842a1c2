package benchmark

import (
	"fmt"
	"slices"
	"strings"
)

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

// setting leaves one dataset out: it trains on the sources and tests on the target.
type setting struct {
	name    string
	sources []*Dataset
	target  *Dataset
}

// setting reads a name such as OCI-M.
func (c *Catalogue) setting(name string) (s setting, err error) {
	sources, target, ok := strings.Cut(name, "-")
	for _, letter := range sources + target {
		i := slices.IndexFunc(c.datasets, func(d *Dataset) bool { return d.Letter == string(letter) })
		if i < 0 {
			return s, fmt.Errorf("%s: no dataset has the letter %c", name, letter)
		}
		s.sources = append(s.sources, c.datasets[i])
	}
	last := len(s.sources) - 1
	if !ok || len(target) != 1 || last < 1 || slices.Contains(s.sources[:last], s.sources[last]) {
		return s, fmt.Errorf("%s: not the sources' letters, a dash and the letter of another dataset", name)
	}
	return setting{name, s.sources[:last], s.sources[last]}, nil
}

// protocol: the domains that the adversary tells apart are the sources.
func (s setting) protocol(population Population) Protocol {
	sources, hasDev := names(s.sources), make([]bool, len(s.sources))
	for i, d := range s.sources {
		hasDev[i] = d.HasDev()
	}
	return Protocol{
		Name: s.name, Domains: len(s.sources), train: s.sources, test: []*Dataset{s.target},
		Assign: func(v Video) (Role, int) {
			if v.Dataset == s.target.Name {
				return population.targetRole(v.Split), NoDomain
			}
			domain := slices.Index(sources, v.Dataset)
			if domain < 0 {
				return "", NoDomain
			}
			return population.sourceRole(v.Split, hasDev[domain]), domain
		},
	}
}

func (p Population) targetRole(split Split) Role {
	if split == Test || p == PopulationEverything || p == PopulationAllNoDev && split == Train {
		return RoleTest
	}
	return ""
}

// sourceRole: development is the sources' dev splits; of a source without one,
// its test split as long as that is not trained on.
func (p Population) sourceRole(split Split, hasDev bool) Role {
	switch {
	case split == Train || p == PopulationEverything:
		return RoleTrain
	case split == Dev:
		return RoleDev
	case p == PopulationAllNoDev:
		return RoleTrain
	case !hasDev:
		return RoleDev
	}
	return ""
}
