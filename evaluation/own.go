package evaluation

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Set is which part of the data a presentation belongs to, by bob.pad's names.
type Set string

// The sets.
const (
	SetTrain Set = "train" // not judged
	SetDev   Set = "dev"   // chooses the threshold
	SetEval  Set = "eval"  // is measured
)

// ParseSet reads a set's name; devel and validation, and test, are other words for dev and eval.
func ParseSet(word string) (Set, bool) {
	switch strings.ToLower(word) {
	case "train", "training":
		return SetTrain, true
	case "dev", "devel", "development", "validation", "val":
		return SetDev, true
	case "eval", "evaluation", "test":
		return SetEval, true
	}
	return "", false
}

// Table is a person's own list of files: comma-separated values with a header. Its columns are
//
//	filename     the file below OwnFiles.Root; file is another name for it
//	subject      who is shown
//	attack_type  the presentation attack instrument species, empty for bona fide
//	label        instead: 1 bona fide, 0 an attack of the species "attack"
//	set          train, dev or eval; split is another name for it
//	instrument   the very instrument of an attack
//
// as in the CSV databases of bob.pad; set and instrument may be missing. Without a column subject every file is a subject of its own. Further
// columns are kept as Presentation.Meta.
type Table struct {
	Name    string // for messages, such as its path
	Set     Set    // of all its rows; empty: by its column set, or eval without one
	Content io.Reader
}

// OwnFiles says how tables are read.
type OwnFiles struct {
	Root string // folder of the files
	// Columns names the column to take instead, by the name above, such as {"subject": "series"}.
	Columns map[string]string
	// Only keeps the rows that have these values, by column.
	Only map[string]string
}

// Own plans the files of one or several tables. The error names every faulty row by its line.
func Own(title string, tables []Table, o OwnFiles) (Plan, error) {
	for name := range o.Columns {
		if _, ok := aliases[name]; !ok {
			return Plan{}, fmt.Errorf("%q is no column that can be chosen; there are %s", name, strings.Join(slices.Sorted(maps.Keys(aliases)), ", "))
		}
	}
	b := planner{files: o, plan: Plan{Title: title}, lines: map[string]string{}}
	for _, t := range tables {
		if err := b.add(t); err != nil {
			return Plan{}, err
		}
	}
	if err := b.faults.err(); err != nil {
		return Plan{}, err
	}
	return b.finish()
}

// planner builds a plan of tables.
type planner struct {
	files  OwnFiles
	plan   Plan
	fold   Fold
	lines  map[string]string // file:line by cleaned file name
	faults faults
	train  int // rows that are not judged
	other  int // rows that Only leaves out
	alone  bool
}

func (b *planner) add(t Table) error {
	header, rows, err := readTable(t.Name, t.Content, &b.faults)
	if err != nil {
		return err
	}
	c, err := locate(header, b.files, t.Set != "")
	if err != nil {
		return fmt.Errorf("%s:1: %w", t.Name, err)
	}
	b.alone = b.alone || c.subject < 0
	for _, r := range rows {
		if !c.wanted(r) {
			b.other++
			continue
		}
		set, err := c.setOf(r, t.Set)
		p, err2 := c.presentation(r, b.files.Root)
		if err := errors.Join(err, err2); err != nil {
			b.faults.add("%s: %w", r.at, err)
			continue
		}
		b.take(r.at, set, p)
	}
	return nil
}

// take adds a row's file to its set.
func (b *planner) take(at string, set Set, p Presentation) {
	if other, twice := b.lines[p.Path]; twice {
		b.faults.add("%s: %s is in %s already", at, p.Name, other)
		return
	}
	b.lines[p.Path] = at
	switch set {
	case SetTrain:
		b.train++
		return
	case SetDev:
		b.fold.Dev = append(b.fold.Dev, p.Name)
	default:
		b.fold.Eval = append(b.fold.Eval, p.Name)
	}
	b.plan.Presentations = append(b.plan.Presentations, p)
}

func (b *planner) finish() (Plan, error) {
	if len(b.fold.Eval) == 0 {
		return Plan{}, errors.New("no row is in the set eval: there is nothing to measure")
	}
	warn := func(n int, format string) {
		if n > 0 {
			b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf(format, n))
		}
	}
	warn(b.train, "%d rows of the set train are not judged")
	warn(b.other, "%d rows are left out by the choice of values")
	if b.alone {
		b.plan.Warnings = append(b.plan.Warnings, "there is no column subject: each file counts as a person of its own, which makes intervals too narrow")
	}
	b.plan.Folds = []Fold{b.fold}
	return b.plan, nil
}

// columns are the places of a table's columns, -1 for one that it does not have.
type columns struct {
	filename, subject, attackType, label, set, instrument int
	meta                                                  map[string]int
	only                                                  map[int]string
}

// aliases are the names under which each column is looked for.
var aliases = map[string][]string{
	"filename": {"filename", "file"}, "subject": {"subject"}, "attack_type": {"attack_type"}, "label": {"label"},
	"set": {"set", "split"}, "instrument": {"instrument"},
}

// locate finds the columns in a header. A table whose set is known needs no column set: there it is metadata.
func locate(header []string, o OwnFiles, setKnown bool) (c columns, err error) {
	l := locator{header: header, chosen: o.Columns, used: map[int]bool{}}
	c = columns{
		filename: l.find("filename"), subject: l.find("subject"), attackType: l.find("attack_type"), label: l.find("label"),
		set: -1, instrument: l.find("instrument"), meta: map[string]int{}, only: map[int]string{},
	}
	if !setKnown {
		c.set = l.find("set")
	}
	for name, value := range o.Only {
		c.only[l.column(name)] = value
	}
	if c.filename < 0 {
		l.fault("there is no column filename; name it with filename=COLUMN")
	}
	if c.attackType < 0 && c.label < 0 {
		l.fault("there is neither a column attack_type (empty for bona fide) nor label (1 bona fide, 0 attack)")
	}
	for i, name := range header {
		if !l.used[i] {
			c.meta[name] = i
		}
	}
	return c, errors.Join(l.faults...)
}

type locator struct {
	header []string
	chosen map[string]string
	used   map[int]bool // found by its own name: no metadata
	faults []error
}

func (l *locator) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Errorf(format, args...))
}

// find returns the place of a column with a meaning, -1 where there is none.
func (l *locator) find(meaning string) int {
	if name, ok := l.chosen[meaning]; ok {
		return l.column(name)
	}
	for _, name := range aliases[meaning] {
		if i := l.index(name); i >= 0 {
			l.used[i] = true
			return i
		}
	}
	return -1
}

// column returns the place of a column that was asked for by name.
func (l *locator) column(name string) int {
	i := l.index(name)
	if i < 0 {
		l.fault("there is no column %q; there are %s", name, strings.Join(l.header, ", "))
	}
	return i
}

func (l *locator) index(name string) int {
	return slices.IndexFunc(l.header, func(h string) bool { return strings.EqualFold(h, name) })
}

// wanted reports whether the row has the values that were asked for.
func (c columns) wanted(r row) bool {
	for i, value := range c.only {
		if r.fields[i] != value {
			return false
		}
	}
	return true
}

func (c columns) setOf(r row, known Set) (Set, error) {
	if known != "" || c.set < 0 {
		return known, nil
	}
	set, ok := ParseSet(r.fields[c.set])
	if !ok {
		return "", fmt.Errorf("set %q is not train, dev or eval", r.fields[c.set])
	}
	return set, nil
}

// presentation reads a row, and finds its file.
func (c columns) presentation(r row, root string) (p Presentation, err error) {
	p = Presentation{Name: r.fields[c.filename], Meta: map[string]string{}}
	p.Path, err = locateFile(root, p.Name)
	attack, err2 := c.attack(r)
	p.AttackType, p.Subject = attack, p.Name
	if c.subject >= 0 {
		p.Subject = r.fields[c.subject]
	}
	if p.Subject == "" {
		err = errors.Join(err, errors.New("subject is empty: files of one person must share a name, whatever it is"))
	}
	if c.instrument >= 0 {
		p.Instrument = r.fields[c.instrument]
	}
	for name, i := range c.meta {
		p.Meta[name] = r.fields[i]
	}
	return p, errors.Join(err, err2)
}

// words for bona fide that someone may write where the column must be empty.
var bonaFideWords = []string{"bonafide", "bona_fide", "bona fide", "bona-fide", "real", "live", "genuine", "none", "0", "1", "true", "false"}

// attack is the row's attack type, empty for bona fide.
func (c columns) attack(r row) (string, error) {
	species := ""
	if c.attackType >= 0 {
		species = r.fields[c.attackType]
	}
	if slices.Contains(bonaFideWords, strings.ToLower(species)) {
		return "", fmt.Errorf("attack_type %q: name the kind of attack, such as print, and leave it empty for bona fide", species)
	}
	if c.label < 0 {
		return species, nil
	}
	switch label := r.fields[c.label]; {
	case label != "0" && label != "1":
		return "", fmt.Errorf("label %q is neither 1 (bona fide) nor 0 (attack)", label)
	case c.attackType >= 0 && (label == "1") != (species == ""):
		return "", fmt.Errorf("label %s and attack_type %q contradict each other", label, species)
	case c.attackType < 0 && label == "0":
		return "attack", nil
	}
	return species, nil
}

// locateFile finds a row's file below root.
func locateFile(root, name string) (string, error) {
	if name == "" {
		return "", errors.New("filename is empty")
	}
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", fmt.Errorf("%s leaves the root: write it relative to %s", name, root)
	}
	path := filepath.Join(root, local)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("%s: there is no such file in %s", name, root)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no regular file", name)
	}
	return path, nil
}
