package benchmark

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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

// Complete tells whether all that was expected is there and has pictures, and
// the list files say so. Videos without a face and extra files do not count against it.
func (c Completeness) Complete() bool {
	for _, f := range c.Lists {
		if !f.Warning {
			return false
		}
	}
	return len(c.Missing)+len(c.Unreadable)+len(c.ZeroFrames) == 0
}

// Verify compares the tree with what is expected of it.
func (t *Tree) Verify() (Completeness, error) {
	expected, by, err := t.expected()
	if err != nil {
		return Completeness{}, err
	}
	c := Completeness{
		Dataset: t.Dataset.Name, Root: t.Root, By: by, Expected: len(expected),
		Subjects: []ExpectedSubject{}, Missing: []string{}, Extra: append([]Extra{}, t.Extra...),
		Unreadable: []Nothing{}, ZeroFrames: []Nothing{}, NoFace: []Nothing{},
		Lists: []Finding{}, Annotations: []Finding{}, Warnings: append([]string{}, t.Warnings...),
	}
	c.count(expected, t.Files)
	for _, f := range t.Files {
		c.annotation(t, f)
	}
	if t.Dataset.lists != nil {
		c.Lists = append(c.Lists, t.Dataset.lists(t)...)
	}
	return c, nil
}

func (c *Completeness) count(expected []Video, files []File) {
	found := map[string]File{}
	for _, f := range files {
		found[f.ID] = f
	}
	var subjects []ExpectedSubject
	for _, v := range expected {
		f, there := found[v.ID]
		if there {
			v, c.Found = f.Video, c.Found+1 // its split may be the list file's
			delete(found, v.ID)
		} else {
			c.Missing = append(c.Missing, v.ID)
		}
		c.countGroup(v, there)
		subjects = countSubject(subjects, v, there)
	}
	for _, s := range subjects {
		if s.Found < s.Expected {
			c.Subjects = append(c.Subjects, s)
		}
	}
	for _, f := range files {
		if _, ok := found[f.ID]; ok {
			c.Extra = append(c.Extra, Extra{f.Path, "not in " + c.By})
		}
	}
}

// annotation reads a video's sidecar, if there is one.
func (c *Completeness) annotation(t *Tree, f File) {
	path := t.sidecar(f)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		defer file.Close() //nolint:errcheck // only read
		_, err = t.Dataset.annotations(file)
	}
	c.Annotated++
	if err != nil {
		c.Annotations = append(c.Annotations, Finding{File: path, What: err.Error(), Warning: true})
	}
}

func (c *Completeness) countGroup(v Video, there bool) {
	at := -1
	for i, g := range c.Groups {
		if g.Split == v.Split && g.Label == v.Label() {
			at = i
		}
	}
	if at < 0 {
		at = len(c.Groups)
		c.Groups = append(c.Groups, ExpectedGroup{Split: v.Split, Label: v.Label()})
	}
	c.Groups[at].Expected++
	if there {
		c.Groups[at].Found++
	}
}

// countSubject relies on a subject's videos being neighbours.
func countSubject(subjects []ExpectedSubject, v Video, there bool) []ExpectedSubject {
	n := len(subjects)
	if n == 0 || subjects[n-1].Subject != v.Subject {
		subjects, n = append(subjects, ExpectedSubject{Split: v.Split, Subject: v.Subject}), n+1
	}
	subjects[n-1].Expected++
	if there {
		subjects[n-1].Found++
	}
	return subjects
}

// expected is the complete dataset, or the plan where the tree was laid out by one.
func (t *Tree) expected() (videos []Video, by string, err error) {
	path := filepath.Join(t.base(), PlanName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t.Dataset.videos, "published", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close() //nolint:errcheck // only read
	ids, err := planned(f, t.Dataset.Name)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	if len(ids) == 0 {
		return nil, "", fmt.Errorf("%s: plans no video of %s", path, t.Dataset.Title)
	}
	for _, v := range t.Dataset.videos {
		if ids[v.ID] {
			videos = append(videos, v)
			delete(ids, v.ID)
		}
	}
	for id := range ids {
		return nil, "", fmt.Errorf("%s: %q is no video of %s", path, id, t.Dataset.Title)
	}
	return videos, PlanName, nil
}

// planned reads the identities of one dataset out of a plan.
func planned(r io.Reader, dataset string) (ids map[string]bool, err error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("no header")
	}
	columns, err := locate(rows[0], "dataset", "video")
	if err != nil {
		return nil, err
	}
	ids = map[string]bool{}
	for _, row := range rows[1:] {
		if row[columns[0]] == dataset {
			ids[row[columns[1]]] = true
		}
	}
	return ids, nil
}

// Opened tells what reading one of the found videos gave.
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
