package benchmark

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

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
	if t.Dataset.Lists.Check != nil {
		c.Lists = append(c.Lists, t.Dataset.Lists.Check(t)...)
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
		_, err = t.Dataset.Sidecar.Parse(file)
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
		return t.Dataset.Videos, "published", nil
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
	for _, v := range t.Dataset.Videos {
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
