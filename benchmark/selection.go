package benchmark

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// RootVideos lists the videos found below a root that is named as DATASET=DIR.
func (c *Catalogue) RootVideos(word string) (videos []Video, err error) {
	files, err := c.RootFiles(word)
	for _, f := range files {
		videos = append(videos, f.Video)
	}
	return videos, err
}

// RootFiles lists the same videos with their paths.
func (c *Catalogue) RootFiles(word string) ([]File, error) {
	name, dir, ok := strings.Cut(word, "=")
	if !ok {
		return nil, fmt.Errorf("%q is not DATASET=DIR", word)
	}
	dataset, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	tree, err := dataset.Discover(dir)
	if err != nil {
		return nil, err
	}
	return tree.Files, nil
}

// Folds returns the folds of the protocol of that name, or the one fold that has it, whatever the case of its letters.
func (c *Catalogue) Folds(name string, population Population) (folds []Protocol, err error) {
	population = cmp.Or(population, Populations()[0])
	for _, p := range c.Protocols(population) {
		if strings.EqualFold(p.Name, name) || strings.EqualFold(p.Family, name) {
			folds = append(folds, p)
		}
	}
	if len(folds) == 0 || !slices.Contains(Populations(), population) {
		_, err = c.Protocol(name, population)
	}
	return folds, err
}

// Distinct reports a dataset that was named twice, because each of its videos would count
// twice.
func Distinct(videos []Video) error {
	seen := map[[2]string]bool{}
	for _, v := range videos {
		key := [2]string{v.Dataset, v.ID}
		if seen[key] {
			return fmt.Errorf("%s: %s comes twice; name each dataset once", v.Dataset, v.ID)
		}
		seen[key] = true
	}
	return nil
}

// Check fails where a dataset, or all data for training or test, is missing,
// and warns of less data than was published.
func (p Protocol) Check(uses []Use) (warnings []string, err error) {
	byRole, byDataset := map[Role]int{}, map[string]int{}
	for _, u := range uses {
		byRole[u.Role]++
		byDataset[u.Dataset]++
	}
	for _, dataset := range names(p.datasets()) {
		if byDataset[dataset] == 0 {
			return nil, fmt.Errorf("%s: no video of %s: name its folder", p.Name, dataset)
		}
	}
	for _, role := range []Role{RoleTrain, RoleTest} {
		if byRole[role] == 0 {
			return nil, fmt.Errorf("%s: no video for %s in the folders named", p.Name, role)
		}
	}
	if byRole[RoleDev] == 0 {
		warnings = append(warnings, "no development videos: there is no threshold but one chosen on the target itself")
	}
	for _, s := range p.Shortfalls(uses) {
		warnings = append(warnings, s.String())
	}
	return warnings, nil
}

// Shortfall is where a protocol has fewer of a dataset's videos than are published.
type Shortfall struct {
	Dataset          string
	Role             Role
	Found, Published int
}

func (s Shortfall) String() string {
	return fmt.Sprintf("%s %s: %d of the %d published videos; extract --verify names those that are missing", s.Dataset, s.Role, s.Found, s.Published)
}

// share is a dataset's part in a role.
type share struct {
	dataset string
	role    Role
}

// tally counts attacks and bona fide videos, by label.
func tally(uses []Use) map[share][2]int {
	counts := map[share][2]int{}
	for _, u := range uses {
		c := counts[share{u.Dataset, u.Role}]
		c[u.Label()]++
		counts[share{u.Dataset, u.Role}] = c
	}
	return counts
}

// Shortfalls lists where uses has less than the complete datasets would give.
func (p Protocol) Shortfalls(uses []Use) (short []Shortfall) {
	found, published := tally(uses), tally(p.Published())
	for _, dataset := range names(p.datasets()) {
		for _, role := range roles {
			f, all := found[share{dataset, role}], published[share{dataset, role}]
			if f[0]+f[1] < all[0]+all[1] {
				short = append(short, Shortfall{dataset, role, f[0] + f[1], all[0] + all[1]})
			}
		}
	}
	return short
}

// Summary writes how many videos each role has of each dataset, for people.
func (p Protocol) Summary(w io.Writer, uses []Use) error {
	counts := tally(uses)
	out := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(out, "ROLE\tDATASET\tBONA FIDE\tATTACKS")
	for _, role := range roles {
		for _, dataset := range names(p.datasets()) {
			if c, ok := counts[share{dataset, role}]; ok {
				fmt.Fprintf(out, "%s\t%s\t%d\t%d\n", role, dataset, c[1], c[0])
			}
		}
	}
	return out.Flush()
}

var protocolColumns = []string{"dataset", "video", "role", "domain", "label", "pai", "instrument", "camera"}

// WriteProtocol writes protocol.csv, one row a video.
func WriteProtocol(w io.Writer, uses []Use) error {
	out := csv.NewWriter(w)
	_ = out.Write(protocolColumns) // errors are kept for Error
	for _, u := range uses {
		_ = out.Write([]string{u.Dataset, u.ID, string(u.Role), strconv.Itoa(u.Domain), strconv.Itoa(u.Label()),
			string(u.PAI), u.Instrument, u.Camera})
	}
	out.Flush()
	return out.Error()
}
