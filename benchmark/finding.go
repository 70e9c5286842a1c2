package benchmark

import "fmt"

// Finding is a difference between a file of the dataset and what it should say.
type Finding struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; 0 for the whole file
	What string `json:"what"`
	// Warning: it changes nothing that is computed.
	Warning bool `json:"warning,omitempty"`
}

func (f Finding) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.File, f.What)
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.What)
}
