package benchmark

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a protocol uses a video for.
type Role string

// The roles; a video has one at most.
const (
	RoleTrain Role = "train"
	RoleDev   Role = "dev"
	RoleTest  Role = "test"
)

// NoDomain is the domain of a video that the adversary must not see.
const NoDomain = -1

// Use is one row of protocol.csv.
type Use struct {
	Video
	Role   Role
	Domain int // from 0 for training and development, NoDomain for test
}

// Protocol says which of the videos it uses for what.
type Protocol struct {
	Name     string
	Datasets []string // sources first, in the order of their domain numbers; the target last
	Domains  int      // how many the adversary tells apart
	use      func(Video) (Role, int)
}

// Apply picks the protocol's videos, in the order given.
func (p Protocol) Apply(videos []Video) (uses []Use) {
	for _, v := range videos {
		if role, domain := p.use(v); role != "" {
			uses = append(uses, Use{v, role, domain})
		}
	}
	return uses
}

// ProtocolNames lists every protocol: 14 of OULU-NPU, four that leave one dataset out.
func ProtocolNames() (names []string) {
	for _, p := range ouluProtocols() {
		names = append(names, p.name)
	}
	return append(names, leaveOneOut...)
}

// OpenProtocol returns the protocol of that name. The population matters to
// the leave-one-out settings only.
func OpenProtocol(name string, population Population) (Protocol, error) {
	for _, p := range ouluProtocols() {
		if p.name == name {
			return p.protocol(), nil
		}
	}
	if slices.Contains(leaveOneOut, name) {
		return crossDataset(name, population)
	}
	return Protocol{}, fmt.Errorf("%q is no protocol; known are %s", name, strings.Join(ProtocolNames(), ", "))
}

// Shortfall tells that a protocol has fewer of a dataset's videos than are published.
type Shortfall struct {
	Dataset          string
	Role             Role
	Found, Published int
}

// Shortfalls lists where uses has less than the complete datasets would give.
func (p Protocol) Shortfalls(uses []Use) (short []Shortfall) {
	type key struct {
		dataset string
		role    Role
	}
	found := map[key]int{}
	for _, u := range uses {
		found[key{u.Dataset, u.Role}]++
	}
	for _, name := range p.Datasets {
		d, err := Open(name)
		if err != nil { // no dataset of ours: nothing is published
			continue
		}
		published := map[Role]int{}
		for _, u := range p.Apply(d.videos) {
			published[u.Role]++
		}
		for _, role := range []Role{RoleTrain, RoleDev, RoleTest} {
			if n := found[key{name, role}]; n < published[role] {
				short = append(short, Shortfall{name, role, n, published[role]})
			}
		}
	}
	return short
}
