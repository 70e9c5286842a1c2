package benchmark

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Catalogue is a set of datasets and the protocols on them.
type Catalogue struct {
	datasets []*Dataset
	settings []setting
}

// NewCatalogue checks the datasets' declarations and indexes copies of them.
// leaveOneOut names settings by letters: those of the sources in the order of
// their domain numbers, a dash, and the target's. Every fault is reported.
func NewCatalogue(leaveOneOut []string, datasets ...Dataset) (*Catalogue, error) {
	c := &Catalogue{}
	var faults []error
	for _, declared := range datasets {
		d, err := newDataset(declared)
		faults = append(faults, err, c.clash(d))
		c.datasets = append(c.datasets, d)
	}
	for _, name := range leaveOneOut {
		s, err := c.setting(name)
		faults = append(faults, err)
		c.settings = append(c.settings, s)
	}
	return c, errors.Join(faults...)
}

// clash reports what a dataset has in common with an earlier one and must not.
func (c *Catalogue) clash(d *Dataset) error {
	for _, other := range c.datasets {
		switch {
		case d.Name == other.Name, d.Letter == other.Letter, d.Title == other.Title:
			return fmt.Errorf("%s and %s share a name, letter or title", d.Name, other.Name)
		case d.FirstPerson <= other.lastPerson() && other.FirstPerson <= d.lastPerson():
			return fmt.Errorf("%s and %s share persons: %d to %d and %d to %d",
				d.Name, other.Name, d.FirstPerson, d.lastPerson(), other.FirstPerson, other.lastPerson())
		}
	}
	return nil
}

// Datasets in the order in which they were declared.
func (c *Catalogue) Datasets() []*Dataset { return slices.Clone(c.datasets) }

// Names of all datasets.
func (c *Catalogue) Names() []string { return names(c.datasets) }

// Open returns the dataset of that name.
func (c *Catalogue) Open(name string) (*Dataset, error) {
	for _, d := range c.datasets {
		if d.Name == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%q is no dataset; known are %s", name, strings.Join(c.Names(), ", "))
}

// Protocols lists the datasets' own protocols and then the leave-one-out
// settings. Only the latter depend on the population.
func (c *Catalogue) Protocols(population Population) (list []Protocol) {
	for _, d := range c.datasets {
		list = append(list, d.Protocols...)
	}
	for _, s := range c.settings {
		list = append(list, s.protocol(population))
	}
	return list
}

// Protocol returns the protocol of that name; the empty population is the default one.
func (c *Catalogue) Protocol(name string, population Population) (Protocol, error) {
	population = cmp.Or(population, Populations()[0])
	if !slices.Contains(Populations(), population) {
		return Protocol{}, fmt.Errorf("%q is no population; known are %v", population, Populations())
	}
	var known []string
	for _, p := range c.Protocols(population) {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name)
	}
	return Protocol{}, fmt.Errorf("%q is no protocol; known are %s", name, strings.Join(known, ", "))
}

func names(datasets []*Dataset) (names []string) {
	for _, d := range datasets {
		names = append(names, d.Name)
	}
	return names
}
