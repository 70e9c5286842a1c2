package benchmark

import (
	"fmt"
	"slices"
	"strings"
)

// Dataset is one of the four: where its videos lie and what their names mean.
type Dataset struct {
	Name   string // oulu, casia, replay, msu
	Letter string // O, C, I, M: in the names of cross-dataset protocols
	Title  string // as its authors write it

	videos []Video // the complete dataset in canonical order
	byID   map[string]int

	anchors []string // folders in which videos lie; the first part of every ID
	inside  []string // one of these is in an anchor; empty: the name alone tells
	skip    []string // folders that look like anchors' parents and are none
	aliases map[string]string
	splits  func(base string, files []File) []string // applies the tree's own lists; returns warnings
	lists   func(t *Tree) []Finding                  // checks the tree's protocol files
}

// builders make the datasets in the order O, C, I, M.
var builders = []struct {
	name, letter string
	build        func() *Dataset
}{{"oulu", "O", oulu}, {"casia", "C", casia}, {"replay", "I", replayAttack}, {"msu", "M", msu}}

// Open returns the dataset of that name.
func Open(name string) (*Dataset, error) {
	for _, b := range builders {
		if b.name == name {
			return b.build(), nil
		}
	}
	return nil, fmt.Errorf("%q is no dataset; known are %s", name, strings.Join(Names(), ", "))
}

// All returns the datasets in the order O, C, I, M.
func All() (all []*Dataset) {
	for _, b := range builders {
		all = append(all, b.build())
	}
	return all
}

// Names of all datasets.
func Names() (names []string) {
	for _, b := range builders {
		names = append(names, b.name)
	}
	return names
}

// newDataset fills what follows from the list of videos.
func newDataset(d Dataset, videos []Video) *Dataset {
	d.videos, d.byID = videos, make(map[string]int, len(videos))
	for i := range d.videos {
		d.videos[i].Dataset = d.Name
		d.byID[d.videos[i].ID] = i
	}
	return &d
}

// Videos lists the complete dataset in canonical order.
func (d *Dataset) Videos() []Video { return slices.Clone(d.videos) }

// Lookup finds a video by its canonical identity.
func (d *Dataset) Lookup(id string) (Video, bool) {
	i, ok := d.byID[id]
	if !ok {
		return Video{}, false
	}
	return d.videos[i], true
}

// Suffix is the one with which the dataset distributes the video.
func (v Video) Suffix() string { return v.suffix }
