package benchmark

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// labelledList is a list file of a protocol, one "LABEL,NAME" a line, such as
// "+1,1_1_01_1". It can be made from the videos' names; a tree's own file is only
// compared with that.
type labelledList struct {
	path string // below the lists' folder
	has  func(Video) bool
}

// labelledName is one line of such a file.
type labelledName struct {
	Line  int
	Label int // +1 bona fide; -1 print, or any attack; -2 replay
	Name  string
}

// labelledLists declares list files in a folder beside the anchors.
func labelledLists(folder string, lists []labelledList) Lists {
	return Lists{
		Write: func(videos []Video) map[string]string {
			files := map[string]string{}
			for _, l := range lists {
				files[folder+"/"+l.path] = l.text(videos)
			}
			return files
		},
		Check: func(t *Tree) (findings []Finding) {
			place, ok := t.beside(folder)
			if !ok {
				return []Finding{{File: folder, Warning: true, What: "not there, so the protocol lists were not compared (they are an archive of their own)"}}
			}
			there := fileNames(t.Files)
			for _, l := range lists {
				findings = append(findings, l.check(place, t.Dataset.Videos, there)...)
			}
			return findings
		},
	}
}

// of picks the list's videos.
func (l labelledList) of(videos []Video) (listed []Video) {
	for _, v := range videos {
		if l.has(v) {
			listed = append(listed, v)
		}
	}
	return listed
}

func (l labelledList) text(videos []Video) string {
	var text strings.Builder
	for _, v := range l.of(videos) {
		fmt.Fprintf(&text, "%+d,%s\n", listLabel(v), fileName(v))
	}
	return text.String()
}

func (l labelledList) check(folder string, all []Video, there map[string]bool) []Finding {
	f, err := os.Open(filepath.Join(folder, filepath.FromSlash(l.path)))
	if err != nil {
		return []Finding{{File: l.path, What: err.Error()}}
	}
	defer f.Close() //nolint:errcheck // only read
	entries, err := parseLabelledList(f)
	if err != nil {
		return []Finding{{File: l.path, What: err.Error()}}
	}
	return compareLabelled(l.path, entries, l.of(all), there)
}

// parseLabelledList accepts CRLF and a missing last newline.
func parseLabelledList(r io.Reader) (entries []labelledName, err error) {
	err = eachLine(r, func(n int, line string) error {
		label, name, ok := strings.Cut(line, ",")
		value, err := strconv.Atoi(strings.TrimSpace(label))
		if name = strings.TrimSpace(name); !ok || err != nil || value == 0 || name == "" {
			return fmt.Errorf("line %d: %q is not LABEL,NAME such as +1,1_1_01_1", n, line)
		}
		entries = append(entries, labelledName{n, value, name})
		return nil
	})
	return entries, err
}

// compareLabelled reports entries of a list that are extra, missing or wrong. A
// video that neither the list nor the disk has is not the list's fault.
func compareLabelled(file string, entries []labelledName, want []Video, there map[string]bool) (findings []Finding) {
	expected, seen := map[string]Video{}, map[string]bool{}
	for _, v := range want {
		expected[fileName(v)] = v
	}
	for _, e := range entries {
		v, ok := expected[e.Name]
		switch {
		case !ok:
			findings = append(findings, Finding{File: file, Line: e.Line, What: e.Name + " does not belong to this list"})
		case seen[e.Name]:
			findings = append(findings, Finding{File: file, Line: e.Line, What: e.Name + " stands twice"})
		default:
			findings = append(findings, checkLabel(file, e, v)...)
		}
		seen[e.Name] = true
	}
	for _, v := range want {
		if name := fileName(v); there[name] && !seen[name] {
			findings = append(findings, Finding{File: file, What: name + " is missing"})
		}
	}
	return findings
}

// checkLabel: the class comes from the name, the label is a second opinion.
func checkLabel(file string, e labelledName, v Video) []Finding {
	if e.Label > 0 != (v.PAI == BonaFide) {
		return []Finding{{File: file, Line: e.Line, What: fmt.Sprintf("%s is labelled %+d, by its name it is %s", e.Name, e.Label, described(v))}}
	}
	if want := listLabel(v); v.Split == Test && e.Label != want && e.Label < 0 {
		return []Finding{{File: file, Line: e.Line, Warning: true,
			What: fmt.Sprintf("%s is labelled %+d, by its name it is %+d (%s); the name counts", e.Name, e.Label, want, v.PAI)}}
	}
	return nil
}

func described(v Video) string {
	if v.PAI == BonaFide {
		return "bona fide"
	}
	return "an attack (" + string(v.PAI) + ")"
}

// listLabel: only test lists tell print from replay.
func listLabel(v Video) int {
	switch {
	case v.PAI == BonaFide:
		return 1
	case v.Split == Test && v.PAI != Print:
		return -2
	}
	return -1
}

// fileName is the last part of the video's identity.
func fileName(v Video) string { return v.ID[strings.LastIndexByte(v.ID, '/')+1:] }

func fileNames(files []File) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		names[fileName(f.Video)] = true
	}
	return names
}
