package benchmark

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Listing describes a catalogue, for other programs (as JSON) and for people.
type Listing struct {
	Datasets    []ListedDataset  `json:"datasets"`
	Protocols   []ListedProtocol `json:"protocols"`
	Populations []Population     `json:"populations"` // of cross-dataset protocols, the default first
	PAIs        []PAI            `json:"pais"`        // bona fide first
}

// ListedDataset describes a dataset. Its numbers are those of the complete one.
type ListedDataset struct {
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	Letter      string       `json:"letter"`
	HasDev      bool         `json:"has_dev"`
	Splits      []Split      `json:"splits"`
	Videos      int          `json:"videos"`
	Subjects    int          `json:"subjects"`
	FirstPerson int          `json:"first_person"` // as in Dataset
	Cameras     []Camera     `json:"cameras"`
	Instruments []Instrument `json:"instruments"`
}

// ListedProtocol describes a protocol with all its folds.
type ListedProtocol struct {
	Name  string   `json:"name"`
	Kind  Kind     `json:"kind"`
	Train []string `json:"train"` // datasets, in the order of the domain numbers where the protocol is a cross-dataset one
	Test  []string `json:"test"`
	// Folds are the names that `liveproof protocol --name` takes; of a protocol
	// without folds, its own.
	Folds   []string `json:"folds"`
	Domains int      `json:"domains"`
	HasDev  bool     `json:"has_dev"` // in the default population
	// DevIn are the populations in which there are development videos; an intra-dataset
	// protocol is the same in all populations.
	DevIn []Population `json:"dev_in"`
}

// List describes the catalogue.
func (c *Catalogue) List() Listing {
	l := Listing{Populations: Populations(), PAIs: PAIs()}
	for _, d := range c.datasets {
		l.Datasets = append(l.Datasets, d.listed())
	}
	for i, population := range l.Populations {
		for _, p := range c.Protocols(population) {
			if i == 0 {
				l.add(p)
			}
			l.addDev(p, population)
		}
	}
	return l
}

func (d *Dataset) listed() ListedDataset {
	subjects := map[string]bool{}
	for _, v := range d.Videos {
		subjects[v.Subject] = true
	}
	return ListedDataset{
		Name: d.Name, Title: d.Title, Letter: d.Letter, HasDev: d.HasDev(), Splits: d.Splits(), Videos: len(d.Videos),
		Subjects: len(subjects), FirstPerson: d.FirstPerson, Cameras: d.Cameras, Instruments: d.Instruments,
	}
}

// family is the protocol's name without its fold.
func (p Protocol) family() string {
	if p.Family == "" {
		return p.Name
	}
	return p.Family
}

// add appends a protocol, or a fold to the protocol before it.
func (l *Listing) add(p Protocol) {
	if n := len(l.Protocols); n > 0 && l.Protocols[n-1].Name == p.family() {
		l.Protocols[n-1].Folds = append(l.Protocols[n-1].Folds, p.Name)
		return
	}
	l.Protocols = append(l.Protocols, ListedProtocol{Name: p.family(), Kind: p.Kind(), Train: p.Train(), Test: p.Test(),
		Folds: []string{p.Name}, Domains: p.Domains, HasDev: p.HasDev(), DevIn: []Population{}})
}

// addDev notes that the protocol has development videos in this population.
func (l *Listing) addDev(p Protocol, population Population) {
	i := slices.IndexFunc(l.Protocols, func(listed ListedProtocol) bool { return listed.Name == p.family() })
	if listed := &l.Protocols[i]; !slices.Contains(listed.DevIn, population) && p.HasDev() {
		listed.DevIn = append(listed.DevIn, population)
	}
}

// Text writes the listing for people.
func (l Listing) Text(w io.Writer) error {
	out := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(out, "DATASET\tLETTER\tTITLE\tVIDEOS\tSPLITS")
	for _, d := range l.Datasets {
		fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\n", d.Name, d.Letter, d.Title, d.Videos, joined(d.Splits))
	}
	fmt.Fprintln(out, "\nPROTOCOL\tKIND\tTRAIN\tTEST\tDOMAINS\tDEV\tFOLDS")
	for _, p := range l.Protocols {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", p.Name, p.Kind, joined(p.Train), joined(p.Test), p.Domains, p.dev(), p.folds())
	}
	fmt.Fprintf(out, "\nPopulations of cross-dataset protocols: %s\n", joined(l.Populations))
	return out.Flush()
}

func (p ListedProtocol) dev() string {
	if p.Kind == Intra {
		return map[bool]string{true: "yes", false: "no"}[p.HasDev]
	}
	return joined(p.DevIn)
}

// folds is empty for a protocol without folds.
func (p ListedProtocol) folds() string {
	if len(p.Folds) == 1 {
		return ""
	}
	return joined(p.Folds)
}

func joined[T ~string](words []T) string {
	text := make([]string, len(words))
	for i, w := range words {
		text[i] = string(w)
	}
	return strings.Join(text, " ")
}
