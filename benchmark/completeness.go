package benchmark

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Completeness compares a tree with the dataset as its authors distribute it.
type Completeness struct {
	Dataset  string          `json:"dataset"`
	Root     string          `json:"root"`
	By       string          `json:"by"` // what was expected: "published", or the plan of a layout
	Expected int             `json:"expected"`
	Found    int             `json:"found"`
	Groups   []ExpectedGroup `json:"groups"`
	// Subjects are those of which something is missing.
	Subjects   []ExpectedSubject `json:"subjects"`
	Missing    []string          `json:"missing"`
	Extra      []Extra           `json:"extra"`
	Unreadable []Nothing         `json:"unreadable"`
	ZeroFrames []Nothing         `json:"zero_frames"`
	NoFace     []Nothing         `json:"no_face"`
	Lists      []Finding         `json:"lists"` // differences in the dataset's own list files
	// Annotated counts the videos that have the authors' face or eye positions
	// beside them; extraction does not need them.
	Annotated   int       `json:"annotated"`
	Annotations []Finding `json:"annotations"` // of those, what cannot be read
	Warnings    []string  `json:"warnings"`
}

// ExpectedGroup counts one split's bona fide or attack videos.
type ExpectedGroup struct {
	Split    Split `json:"split"`
	Label    int   `json:"label"`
	Expected int   `json:"expected"`
	Found    int   `json:"found"`
}

// ExpectedSubject counts one subject's videos.
type ExpectedSubject struct {
	Split    Split  `json:"split"`
	Subject  string `json:"subject"`
	Expected int    `json:"expected"`
	Found    int    `json:"found"`
}

// Complete reports whether all that was expected is there and has pictures, and
// the list files say so. Videos without a face and extra files do not count against it.
func (c Completeness) Complete() bool {
	for _, f := range c.Lists {
		if !f.Warning {
			return false
		}
	}
	return len(c.Missing)+len(c.Unreadable)+len(c.ZeroFrames) == 0
}

// Opened adds what reading one of the found videos gave.
func (c *Completeness) Opened(v Video, status Status, why string) {
	n := Nothing{v, status, why}
	switch status {
	case StatusUnreadable:
		c.Unreadable = append(c.Unreadable, n)
	case StatusZeroFrames:
		c.ZeroFrames = append(c.ZeroFrames, n)
	case StatusNoFace:
		c.NoFace = append(c.NoFace, n)
	}
}

// Text writes the report for people.
func (c Completeness) Text(w io.Writer) error {
	out := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(out, "SPLIT\tCLASS\tEXPECTED\tFOUND")
	for _, g := range c.Groups {
		fmt.Fprintf(out, "%s\t%s\t%d\t%d\n", g.Split, [...]string{"attack", "bona fide"}[g.Label], g.Expected, g.Found)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return c.exceptions(&lineWriter{w: w})
}

func (c Completeness) exceptions(w *lineWriter) error {
	for _, s := range c.Subjects {
		w.line("subject %s (%s): %d of %d videos", s.Subject, s.Split, s.Found, s.Expected)
	}
	for _, id := range c.Missing {
		w.line("missing: %s", id)
	}
	for _, e := range c.Extra {
		w.line("extra: %s: %s", e.Path, e.Why)
	}
	for _, list := range [][]Nothing{c.Unreadable, c.ZeroFrames, c.NoFace} {
		for _, n := range list {
			w.line("%s: %s %s", n.Status, n.ID, n.Error)
		}
	}
	for _, f := range c.Lists {
		w.line("list %s", f)
	}
	for _, f := range c.Annotations {
		w.line("annotation %s", f)
	}
	for _, warning := range c.Warnings {
		w.line("warning: %s", warning)
	}
	if c.Annotated > 0 {
		w.line("annotations of %d videos, %d of them unreadable; they are not needed", c.Annotated, len(c.Annotations))
	}
	w.line("%s by %s: expected %d, found %d, missing %d, extra %d, unreadable %d, zero frames %d, no face %d", c.Dataset, c.By,
		c.Expected, c.Found, len(c.Missing), len(c.Extra), len(c.Unreadable), len(c.ZeroFrames), len(c.NoFace))
	return w.err
}

// lineWriter keeps the first error.
type lineWriter struct {
	w   io.Writer
	err error
}

func (l *lineWriter) line(format string, args ...any) {
	if _, err := fmt.Fprintf(l.w, format+"\n", args...); l.err == nil {
		l.err = err
	}
}
