package benchmark

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ListEntry is one line of an OULU-NPU protocol file, such as "+1,1_1_01_1".
type ListEntry struct {
	Line  int
	Token int // +1 bona fide; -1 print, or any attack; -2 replay
	Stem  string
}

// ParseOULUList reads a protocol file. CRLF and a missing last newline are fine.
func ParseOULUList(r io.Reader) (entries []ListEntry, err error) {
	err = eachLine(r, func(n int, line string) error {
		token, stem, ok := strings.Cut(line, ",")
		value, err := strconv.Atoi(strings.TrimSpace(token))
		if stem = strings.TrimSpace(stem); !ok || err != nil || value == 0 || stem == "" {
			return fmt.Errorf("line %d: %q is not LABEL,NAME such as +1,1_1_01_1", n, line)
		}
		entries = append(entries, ListEntry{n, value, stem})
		return nil
	})
	return entries, err
}

// checkOULULists compares the tree's protocol files, where there are any, with
// the table that they are made by. Class and split come from the name; the
// token is a second opinion.
func checkOULULists(t *Tree) (findings []Finding) {
	folder, ok := t.beside("Protocols")
	if !ok {
		return []Finding{{File: "Protocols", Warning: true, What: "not there, so the protocol lists were not compared (they are an archive of their own)"}}
	}
	for _, p := range ouluProtocols() {
		for _, split := range []Split{Train, Dev, Test} {
			findings = append(findings, t.checkOULUList(folder, p, split)...)
		}
	}
	return findings
}

func (t *Tree) checkOULUList(folder string, p ouluProtocol, split Split) []Finding {
	name := p.listFile(split)
	f, err := os.Open(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		return []Finding{{File: name, What: err.Error()}}
	}
	defer f.Close() //nolint:errcheck // only read
	entries, err := ParseOULUList(f)
	if err != nil {
		return []Finding{{File: name, What: err.Error()}}
	}
	return compareList(name, entries, p.list(t.Dataset.videos, split), t.stems())
}

// listFile is the file's name below Protocols.
func (p ouluProtocol) listFile(split Split) string {
	names := map[Split]string{Train: "Train", Dev: "Dev", Test: "Test"}
	return p.folder + "/" + names[split] + p.suffix + ".txt"
}

// list picks the protocol's videos of one split.
func (p ouluProtocol) list(videos []Video, split Split) (listed []Video) {
	for _, use := range p.protocol().Apply(videos) {
		if use.Split == split {
			listed = append(listed, use.Video)
		}
	}
	return listed
}

// stems of the videos that are there.
func (t *Tree) stems() map[string]bool {
	stems := map[string]bool{}
	for _, f := range t.Files {
		stems[stem(f.Video)] = true
	}
	return stems
}

func stem(v Video) string { return v.ID[strings.LastIndexByte(v.ID, '/')+1:] }

// compareList tells what a list file has too much, too little or wrong. A video
// that neither the list nor the disk has is not the list's fault.
func compareList(file string, entries []ListEntry, want []Video, there map[string]bool) (findings []Finding) {
	expected, seen := map[string]Video{}, map[string]bool{}
	for _, v := range want {
		expected[stem(v)] = v
	}
	for _, e := range entries {
		v, ok := expected[e.Stem]
		switch {
		case !ok:
			findings = append(findings, Finding{File: file, Line: e.Line, What: e.Stem + " does not belong to this list"})
		case seen[e.Stem]:
			findings = append(findings, Finding{File: file, Line: e.Line, What: e.Stem + " stands twice"})
		default:
			findings = append(findings, checkToken(file, e, v)...)
		}
		seen[e.Stem] = true
	}
	for _, v := range want {
		if s := stem(v); there[s] && !seen[s] {
			findings = append(findings, Finding{File: file, What: s + " is missing"})
		}
	}
	return findings
}

func checkToken(file string, e ListEntry, v Video) []Finding {
	if e.Token > 0 != (v.PAI == BonaFide) {
		return []Finding{{File: file, Line: e.Line, What: fmt.Sprintf("%s is labelled %+d, by its name it is %s", e.Stem, e.Token, described(v))}}
	}
	if want := token(v); v.Split == Test && e.Token < 0 && e.Token != want {
		return []Finding{{File: file, Line: e.Line, Warning: true,
			What: fmt.Sprintf("%s is labelled %+d, by its name it is %+d (%s); the name counts", e.Stem, e.Token, want, v.PAI)}}
	}
	return nil
}

func described(v Video) string {
	if v.PAI == BonaFide {
		return "bona fide"
	}
	return "an attack (" + string(v.PAI) + ")"
}

// token is a test list's label.
func token(v Video) int {
	switch v.PAI {
	case BonaFide:
		return 1
	case Print:
		return -1
	}
	return -2
}
