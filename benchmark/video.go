package benchmark

import "github.com/liveproof/liveproof"

// Split is a dataset's own partition.
type Split string

// The splits. CASIA-FASD and MSU-MFSD have no dev.
const (
	Train Split = "train"
	Dev   Split = "dev"
	Test  Split = "test"
)

// PAI is a presentation attack instrument species (ISO/IEC 30107-3).
type PAI string

// The species that the four datasets know.
const (
	BonaFide PAI = "none"
	Print    PAI = "print"
	Cut      PAI = "cut" // a print whose eyes are cut out
	Replay   PAI = "replay"
)

// Video is one presentation and all that its name tells. docs/benchmarks.md lists the values.
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

	suffix string  // of the file as distributed, with the dot
	size   [2]int  // true frame width and height in pixels
	rate   float64 // true frames a second
	turned int     // degrees by which the stored pixels are turned
}

// Label is 1 for bona fide, 0 for an attack.
func (v Video) Label() int {
	if v.PAI == BonaFide {
		return 1
	}
	return 0
}

// Turned is by how many degrees the pixels are stored turned: 180 for the
// clips that MSU-MFSD stores upside down, else 0.
func (v Video) Turned() int { return v.turned }

// File is a video that was found.
type File struct {
	Video
	Path string `json:"path"` // below the root that was given, or absolute, as the root was
}

// Annotation is one row of a sidecar file: what the dataset's authors marked in a frame.
type Annotation struct {
	Frame int // from 0
	// Box is empty in OULU-NPU, which marks eyes only.
	Box liveproof.Box
	// Eyes are the eye on the image's left and the one on its right; nil where none are marked.
	Eyes *[2]liveproof.Point
}
