package benchmark

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// subjectList is a file beside the anchors that puts subjects into a split, one
// number a line.
type subjectList struct {
	file  string
	split Split
}

// subjectLists declares lists that decide the splits where they are there.
func subjectLists(lists []subjectList) Lists {
	return Lists{
		Write: func(videos []Video) map[string]string {
			files := map[string]string{}
			for _, l := range lists {
				files[l.file] = l.text(videos)
			}
			return files
		},
		Split: func(base string, files []File) []string {
			split, warnings, err := readSubjectLists(base, lists)
			if err != nil {
				return []string{fmt.Sprintf("%v; the published split is used", err)}
			}
			return append(warnings, applySplit(files, split)...)
		},
	}
}

// text has two digits a line, CRLF between lines and nothing after the last.
func (l subjectList) text(videos []Video) string {
	var subjects []string
	for _, v := range videos {
		n, _ := strconv.Atoi(v.Subject) // a declared subject is a number
		if s := fmt.Sprintf("%02d", n); v.Split == l.split && !slices.Contains(subjects, s) {
			subjects = append(subjects, s)
		}
	}
	return strings.Join(subjects, "\r\n")
}

// readSubjectLists returns the split of each subject by the lists below base.
func readSubjectLists(base string, lists []subjectList) (split map[int]Split, warnings []string, err error) {
	split = map[int]Split{}
	for _, list := range lists {
		ids, err := list.read(base)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			if split[id] != "" && split[id] != list.split {
				warnings = append(warnings, fmt.Sprintf("subject %02d is in both lists; %s counts", id, list.file))
			}
			split[id] = list.split
		}
	}
	return split, warnings, nil
}

func (l subjectList) read(base string) ([]int, error) {
	path := filepath.Join(base, l.file)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	ids, err := parseSubjects(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ids, nil
}

// parseSubjects returns numbers, because lists and names may have different
// counts of digits. CRLF and a missing last newline are accepted.
func parseSubjects(r io.Reader) (ids []int, err error) {
	err = eachLine(r, func(n int, line string) error {
		id, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || id < 0 {
			return fmt.Errorf("line %d: %q is not a subject number", n, line)
		}
		ids = append(ids, id)
		return nil
	})
	return ids, err
}

// applySplit moves files to the lists' split and reports each subject once where
// that differs from the published one.
func applySplit(files []File, split map[int]Split) (warnings []string) {
	reported := map[string]bool{}
	for i, f := range files {
		id, _ := strconv.Atoi(f.Subject)
		listed := split[id]
		if listed == f.Split {
			continue
		}
		if !reported[f.Subject] {
			reported[f.Subject] = true
			warnings = append(warnings, splitWarning(f, listed))
		}
		if listed != "" {
			files[i].Split = listed
		}
	}
	return warnings
}

func splitWarning(f File, listed Split) string {
	if listed == "" {
		return fmt.Sprintf("subject %s is in neither list; it stays in %s", f.Subject, f.Split)
	}
	return fmt.Sprintf("subject %s is in %s by the list file, in %s as published; the file counts", f.Subject, listed, f.Split)
}
