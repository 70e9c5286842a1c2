package benchmark

import "slices"

// Role is what a protocol uses a video for.
type Role string

// The roles; a video has one at most.
const (
	RoleTrain Role = "train"
	RoleDev   Role = "dev"
	RoleTest  Role = "test"
)

var roles = []Role{RoleTrain, RoleDev, RoleTest}

// NoDomain is the domain of a video that the adversary must not see.
const NoDomain = -1

// Use is one row of protocol.csv.
type Use struct {
	Video
	Role   Role
	Domain int // from 0 for training and development, NoDomain for test
}

// Kind is how a protocol's training and test data are related.
type Kind string

// The kinds.
const (
	Intra Kind = "intra" // trains and tests on parts of one dataset
	Cross Kind = "cross" // trains on some datasets and tests on another
)

// Protocol says which of the videos it uses for what.
type Protocol struct {
	Name    string
	Family  string // what the folds of one protocol have in common; empty: there is one fold
	Domains int    // how many the adversary tells apart
	// Assign gives a video of the protocol's datasets its role and domain; no role: not used.
	Assign func(Video) (Role, int)

	train, test []*Dataset // train in the order of the domain numbers, where those are datasets
}

// Kind of the protocol.
func (p Protocol) Kind() Kind {
	if slices.Equal(p.train, p.test) {
		return Intra
	}
	return Cross
}

// Train lists the names of the datasets that are trained on.
func (p Protocol) Train() []string { return names(p.train) }

// Test lists the names of the datasets that are tested on.
func (p Protocol) Test() []string { return names(p.test) }

// datasets that the protocol needs, those that are trained on first.
func (p Protocol) datasets() (all []*Dataset) {
	all = slices.Clone(p.train)
	for _, d := range p.test {
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

// Apply picks the protocol's videos, in the order given.
func (p Protocol) Apply(videos []Video) (uses []Use) {
	needed := names(p.datasets())
	for _, v := range videos {
		if !slices.Contains(needed, v.Dataset) {
			continue
		}
		if role, domain := p.Assign(v); role != "" {
			uses = append(uses, Use{v, role, domain})
		}
	}
	return uses
}

// Published is what the protocol picks from the complete datasets.
func (p Protocol) Published() (uses []Use) {
	for _, d := range p.datasets() {
		uses = append(uses, p.Apply(d.Videos)...)
	}
	return uses
}

// HasDev reports whether the protocol has development videos.
func (p Protocol) HasDev() bool {
	return slices.ContainsFunc(p.Published(), func(u Use) bool { return u.Role == RoleDev })
}
