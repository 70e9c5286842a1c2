package benchmark

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxOuter is how many extra folders may lie between the root that was given and the dataset.
const maxOuter = 3

// maxInner bounds the search inside the dataset; it ends circles of links.
const maxInner = 4

// Tree is a dataset as it lies on disk.
type Tree struct {
	Dataset *Dataset
	Root    string
	// Files are sorted by identity.
	Files []File
	// Extra are video files that are none of the dataset's, or second copies.
	Extra []Extra
	// Warnings tell what was decided where the tree contradicts itself.
	Warnings []string

	bases map[string]string // folder that holds an anchor, by anchor
}

// Extra is a file that was not expected.
type Extra struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// Discover finds the dataset's videos below root, whatever outer folders there
// are. It fails when there is no sign of the dataset, or when there are two of it.
func (d *Dataset) Discover(root string) (*Tree, error) {
	t := &Tree{Dataset: d, Root: root, bases: map[string]string{}}
	if err := t.findAnchors(root, 0); err != nil {
		return nil, err
	}
	if len(t.bases) == 0 {
		return nil, fmt.Errorf("%s: no %s here: none of the folders %s within %d folders; is it the right root?%s",
			root, d.Title, strings.Join(d.Folders.Anchors, ", "), maxOuter, strings.Join(append([]string{""}, t.Warnings...), "\n  "))
	}
	for _, anchor := range d.Folders.Anchors {
		if base, ok := t.bases[anchor]; ok {
			if err := t.collect(filepath.Join(base, anchor), anchor, maxInner); err != nil {
				return nil, err
			}
		}
	}
	t.settle()
	return t, nil
}

// findAnchors searches dir and the folders below it for the dataset's own.
func (t *Tree) findAnchors(dir string, depth int) error {
	if isExtraction(dir) { // its folders have the same names
		t.Warnings = append(t.Warnings, dir+" holds extracted crops: not searched for videos")
		return nil
	}
	folders, err := subfolders(dir)
	if err != nil && depth > 0 { // lost+found and the like
		t.Warnings = append(t.Warnings, fmt.Sprintf("not searched: %v", err))
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range folders {
		path := filepath.Join(dir, name)
		switch {
		case name == t.Dataset.Sidecar.Folder, slices.Contains(t.Dataset.Folders.Skip, name):
		case t.isAnchor(path, name):
			if other, ok := t.bases[name]; ok {
				return fmt.Errorf("%s: two folders %s, in %s and in %s: name one of the two as root", t.Root, name, other, dir)
			}
			t.bases[name] = dir
		case depth < maxOuter:
			if err := t.findAnchors(path, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// isExtraction reports whether `liveproof extract` wrote the folder.
func isExtraction(dir string) bool {
	there := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	return there(SettingsName) && (there("records") || there("crops"))
}

func (t *Tree) isAnchor(path, name string) bool {
	if !slices.Contains(t.Dataset.Folders.Anchors, name) {
		return false
	}
	folders, err := subfolders(path)
	if slices.Contains(folders, name) { // named after the archive, which has a folder of that name
		return false
	}
	if len(t.Dataset.Folders.Inside) == 0 {
		return true
	}
	return err == nil && slices.ContainsFunc(folders, func(f string) bool { return slices.Contains(t.Dataset.Folders.Inside, f) })
}

// subfolders of dir by name, links to folders among them. Hidden ones are left out.
func subfolders(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && isFolder(dir, e) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func isFolder(dir string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// collect takes the videos in dir, whose canonical path is canonical.
func (t *Tree) collect(dir, canonical string, depth int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(name, "."):
		case isFolder(dir, e):
			if alias, ok := t.Dataset.Folders.Aliases[name]; ok {
				name = alias
			}
			if depth > 0 {
				if err := t.collect(path, canonical+"/"+name, depth-1); err != nil {
					return err
				}
			}
		default:
			t.take(path, canonical+"/"+name)
		}
	}
	return nil
}

// take adds a video file under its identity. Files of other kinds are ignored.
func (t *Tree) take(path, canonical string) {
	id, ok := identity(canonical)
	if !ok {
		return
	}
	v, ok := t.Dataset.Lookup(id)
	if !ok {
		t.Extra = append(t.Extra, Extra{path, "no name of " + t.Dataset.Title})
		return
	}
	t.Files = append(t.Files, File{v, path})
}

// identity cuts a video's suffix, in whatever case; false for other files.
func identity(path string) (id string, ok bool) {
	suffix := filepath.Ext(path)
	switch strings.ToLower(suffix) {
	case ".avi", ".mov", ".mp4":
		return strings.TrimSuffix(path, suffix), true
	}
	return "", false
}

// settle sorts, keeps one file an identity, and applies the tree's own lists.
func (t *Tree) settle() {
	slices.SortStableFunc(t.Files, func(a, b File) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return t.preference(a) - t.preference(b)
	})
	kept := t.Files[:0]
	for _, f := range t.Files {
		if n := len(kept); n > 0 && kept[n-1].ID == f.ID {
			t.Extra = append(t.Extra, Extra{f.Path, "second file of the same video as " + kept[n-1].Path})
			continue
		}
		kept = append(kept, f)
	}
	t.Files = kept
	if t.Dataset.Lists.Split != nil {
		t.Warnings = append(t.Warnings, t.Dataset.Lists.Split(t.base(), t.Files)...)
	}
}

// preference is smallest for the suffix as distributed.
func (t *Tree) preference(f File) int {
	distributed := t.Dataset.camera(f.Video).Suffix
	switch suffix := filepath.Ext(f.Path); {
	case suffix == distributed:
		return 0
	case strings.EqualFold(suffix, distributed):
		return 1
	}
	return 2
}

// base is the folder that holds the first anchor found.
func (t *Tree) base() string {
	for _, anchor := range t.Dataset.Folders.Anchors {
		if base, ok := t.bases[anchor]; ok {
			return base
		}
	}
	return t.Root
}

// beside finds a folder of that name next to any of the anchors.
func (t *Tree) beside(name string) (path string, ok bool) {
	for _, anchor := range t.Dataset.Folders.Anchors {
		if base, found := t.bases[anchor]; found {
			path = filepath.Join(base, name)
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				return path, true
			}
		}
	}
	return "", false
}
