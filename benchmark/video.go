package benchmark

import "github.com/liveproof/liveproof"

// Split is a dataset's own partition.
type Split string

// The splits. Not every dataset has a dev split.
const (
	Train Split = "train"
	Dev   Split = "dev"
	Test  Split = "test"
)

var splits = []Split{Train, Dev, Test}

// PAI is a presentation attack instrument species (ISO/IEC 30107-3).
type PAI string

// The species that the datasets know.
const (
	BonaFide PAI = "none"
	Print    PAI = "print"
	Cut      PAI = "cut" // a print whose eyes are cut out
	Replay   PAI = "replay"
)

// PAIs lists them, bona fide first.
func PAIs() []PAI { return []PAI{BonaFide, Print, Cut, Replay} }

// Video is one presentation and all that its name says. docs/benchmarks.md lists the values.
type Video struct {
	Dataset string `json:"dataset"`
	// ID is the path below the dataset's root in the canonical layout, without suffix.
	ID         string `json:"video"`
	Split      Split  `json:"split"`
	Subject    string `json:"subject"`
	Session    string `json:"session"`
	Camera     string `json:"camera"`
	PAI        PAI    `json:"pai"`
	Instrument string `json:"instrument"` // the very instrument; empty for bona fide

	turned int // degrees by which the stored pixels are turned
}

// Label is 1 for bona fide, 0 for an attack.
func (v Video) Label() int {
	if v.PAI == BonaFide {
		return 1
	}
	return 0
}

// Turned is by how many degrees the pixels are stored turned: 180 for a clip
// that its dataset stores upside down, else 0.
func (v Video) Turned() int { return v.turned }

// File is a video that was found.
type File struct {
	Video
	Path string `json:"path"` // below the root that was given, or absolute, as the root was
}

// Annotation is one row of a sidecar file: what the dataset's authors marked in a frame.
type Annotation struct {
	Frame int // from 0
	// Box is empty where only eyes are marked.
	Box liveproof.Box
	// Eyes are the eye on the image's left and the one on its right; nil where none are marked.
	Eyes *[2]liveproof.Point
}
