package benchmark

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Dataset declares one benchmark: all that this package knows about it. Each
// dataset has a file that fills this struct, and a line in registry.go.
type Dataset struct {
	Name   string // in commands and tables: lower case
	Letter string // one capital, in the names of leave-one-out settings
	Title  string // as its authors write it
	// FirstPerson is added to a subject's number and gives a number that no
	// subject of another dataset has. The renderer picks faces by it.
	FirstPerson int

	Cameras     []Camera
	Instruments []Instrument
	// Videos lists all that the authors distribute, in canonical order, a
	// subject's videos together. Their Dataset is filled in.
	Videos []Video

	Folders   Folders
	Sidecar   Sidecar
	Lists     Lists
	Protocols []Protocol // on this dataset alone; folds of one family are neighbours

	byID map[string]int
}

// Camera is a device that recorded videos, and the format of its files.
type Camera struct {
	Name      string  `json:"name"`
	Suffix    string  `json:"suffix"` // of the file as distributed, with the dot
	Width     int     `json:"width"`  // of the true frame, pixels
	Height    int     `json:"height"`
	FrameRate float64 `json:"rate"` // frames a second
}

// Instrument is what an attack was presented with.
type Instrument struct {
	Name   string `json:"name"`
	PAI    PAI    `json:"pai"`
	Device string `json:"device"` // the printer or display, which several instruments may share; Name when empty
	Moving bool   `json:"moving"` // the face in it moves: a video was replayed, not a photo
	Fixed  bool   `json:"fixed"`  // it stood on a support, nobody held it
}

// Folders say where the videos lie, and how copies of the dataset differ.
type Folders struct {
	Anchors []string          // hold the videos; the first part of every identity
	Inside  []string          // one of these is in an anchor; none: the anchor's name is enough
	Skip    []string          // hold other videos under names like the anchors'; Sidecar.Folder is skipped anyway
	Aliases map[string]string // canonical name of a folder by the name in some copies
}

// Sidecar says where the authors' annotations of a video lie, and their form.
type Sidecar struct {
	Folder string // beside the anchors, with the same paths below; empty: the file lies beside the video
	Suffix string
	Parse  func(io.Reader) ([]Annotation, error)
}

// Lists are the text files that the authors distribute with the videos. Each
// function may be nil. See labelledLists and subjectLists for the two known forms.
type Lists struct {
	// Write returns the files for these videos, by path below the root.
	Write func(videos []Video) map[string]string
	// Check compares the tree's files with what they should say.
	Check func(t *Tree) []Finding
	// Split moves files to the split that the lists below base name; returns warnings.
	Split func(base string, files []File) []string
}

// HasDev reports whether the dataset has a development split.
func (d *Dataset) HasDev() bool { return slices.Contains(d.Splits(), Dev) }

// Splits that the dataset has, in the order train, dev, test.
func (d *Dataset) Splits() []Split {
	return slices.DeleteFunc(slices.Clone(splits), func(s Split) bool {
		return !slices.ContainsFunc(d.Videos, func(v Video) bool { return v.Split == s })
	})
}

// Lookup finds a video by its canonical identity.
func (d *Dataset) Lookup(id string) (Video, bool) {
	i, ok := d.byID[id]
	if !ok {
		return Video{}, false
	}
	return d.Videos[i], true
}

// newDataset fills in what follows from the declaration, and checks it.
func newDataset(declared Dataset) (*Dataset, error) {
	d := &declared
	d.Videos, d.byID = slices.Clone(d.Videos), make(map[string]int, len(d.Videos))
	d.Instruments = slices.Clone(d.Instruments)
	for i, in := range d.Instruments {
		if in.Device == "" {
			d.Instruments[i].Device = in.Name
		}
	}
	d.Protocols = slices.Clone(d.Protocols)
	for i := range d.Protocols {
		d.Protocols[i].train, d.Protocols[i].test = []*Dataset{d}, []*Dataset{d}
	}
	var faults []error
	for i := range d.Videos {
		d.Videos[i].Dataset = d.Name
		faults = append(faults, d.fault(d.Videos[i]))
		d.byID[d.Videos[i].ID] = i
	}
	return d, errors.Join(faults...)
}

// fault reports where a video contradicts the rest of the declaration.
func (d *Dataset) fault(v Video) error {
	anchor, _, _ := strings.Cut(v.ID, "/")
	_, twice := d.byID[v.ID]
	in := d.instrument(v)
	switch _, err := strconv.Atoi(v.Subject); {
	case twice:
		return fmt.Errorf("%s: %s is declared twice", d.Name, v.ID)
	case !slices.Contains(d.Folders.Anchors, anchor):
		return fmt.Errorf("%s: %s lies in none of the folders %v", d.Name, v.ID, d.Folders.Anchors)
	case d.camera(v).Name != v.Camera:
		return fmt.Errorf("%s: %s: no camera %q is declared", d.Name, v.ID, v.Camera)
	case in.Name != v.Instrument || in.PAI != v.PAI:
		return fmt.Errorf("%s: %s: no instrument %q for %s is declared", d.Name, v.ID, v.Instrument, v.PAI)
	case err != nil:
		return fmt.Errorf("%s: %s: subject %q is not a number", d.Name, v.ID, v.Subject)
	}
	return nil
}

// camera that filmed the video.
func (d *Dataset) camera(v Video) Camera {
	for _, c := range d.Cameras {
		if c.Name == v.Camera {
			return c
		}
	}
	return Camera{}
}

// instrument of the attack; bona fide videos have one without a name, and move.
func (d *Dataset) instrument(v Video) Instrument {
	for _, in := range d.Instruments {
		if in.Name == v.Instrument {
			return in
		}
	}
	return Instrument{PAI: BonaFide, Moving: true}
}

// person is the subject's number among the subjects of all datasets.
func (d *Dataset) person(v Video) int {
	n, _ := strconv.Atoi(v.Subject) // checked by fault
	return d.FirstPerson + n
}

func (d *Dataset) lastPerson() (last int) {
	for _, v := range d.Videos {
		last = max(last, d.person(v))
	}
	return last
}
