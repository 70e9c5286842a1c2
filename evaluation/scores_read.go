package evaluation

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Score is a row of a scores file.
type Score struct {
	Name    string // of the presentation; empty where the file has no such column
	Subject string
	// AttackType is the species; empty for bona fide.
	AttackType string
	Value      float64 // mean ρ, in [0,1]
	// Acquired is false where no frame was scored; the score is then 0 by rule.
	Acquired bool
	// Set is the row's; empty where neither a column nor the file's name says it.
	Set Set
}

// scoreNames are the columns that ReadScores reads, each by the first of its names that the header has: those of bob.pad.base
// and of WriteScores, then plain ones.
var scoreNames = map[string][]string{
	"score": {"score"}, "subject": {"claimed_id", "subject"}, "name": {"test_label", "filename"},
	"attack": {"attack_type"}, "bona fide": {"is_bonafide"}, "acquired": {"acquired"}, "set": {"set"},
}

var scoresFile = regexp.MustCompile(`^scores-(?:.*-)?(dev|eval)\.csv$`)

// SetOfScores is the set that the name of a file of WriteScores tells; empty for another name.
func SetOfScores(path string) Set {
	if m := scoresFile.FindStringSubmatch(filepath.Base(path)); m != nil {
		return Set(m[1])
	}
	return ""
}

// ReadScores reads a file of WriteScores or of bob.pad.base, or any table with the columns score, subject (or claimed_id) and
// attack_type (empty for bona fide) or is_bonafide. The columns filename (or test_label), acquired and set are read where they are
// there, others are left out. The error names every row that cannot be read.
func ReadScores(name string, from io.Reader) ([]Score, error) {
	var f faults
	header, rows, err := readTable(name, from, &f)
	if err != nil {
		return nil, err
	}
	columns, err := scoreColumnsOf(header)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	scores := make([]Score, 0, len(rows))
	for _, r := range rows {
		s, err := columns.read(r.fields)
		if err != nil {
			f.add("%s: %w", r.at, err)
			continue
		}
		if s.Set == "" {
			s.Set = SetOfScores(name)
		}
		scores = append(scores, s)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(scores) == 0 {
		return nil, fmt.Errorf("%s: no scores", name)
	}
	return scores, nil
}

// scoreTable is the index of each column of scoreNames; absent ones are not in it.
type scoreTable map[string]int

func scoreColumnsOf(header []string) (scoreTable, error) {
	columns := scoreTable{}
	for column, names := range scoreNames {
		for _, name := range slices.Backward(names) {
			if i := slices.Index(header, name); i >= 0 {
				columns[column] = i
			}
		}
	}
	var errs []error
	for _, column := range []string{"score", "subject"} {
		if _, ok := columns[column]; !ok {
			errs = append(errs, fmt.Errorf("there is no column %s; the header has %s", strings.Join(scoreNames[column], " or "), strings.Join(header, ", ")))
		}
	}
	_, attack := columns["attack"]
	if _, class := columns["bona fide"]; !attack && !class {
		errs = append(errs, errors.New("there is no column attack_type (empty for bona fide) or is_bonafide"))
	}
	return columns, errors.Join(errs...)
}

// field is the row's text in a column; empty where there is no such column.
func (t scoreTable) field(fields []string, column string) string {
	if i, ok := t[column]; ok {
		return fields[i]
	}
	return ""
}

func (t scoreTable) read(fields []string) (s Score, err error) {
	s = Score{
		Name: t.field(fields, "name"), Subject: t.field(fields, "subject"), AttackType: t.field(fields, "attack"),
		Acquired: !strings.EqualFold(t.field(fields, "acquired"), "false"),
	}
	if s.Value, err = strconv.ParseFloat(t.field(fields, "score"), 64); err != nil || !(s.Value >= 0 && s.Value <= 1) {
		return s, fmt.Errorf("score %q is not a number in [0, 1]", t.field(fields, "score"))
	}
	if word := t.field(fields, "set"); word != "" {
		var ok bool
		if s.Set, ok = ParseSet(word); !ok {
			return s, fmt.Errorf("set %q is none of train, dev, eval", word)
		}
	}
	if s.Subject == "" {
		return s, errors.New("the subject is empty: intervals need to know whose videos belong together")
	}
	return s, s.classify(t.field(fields, "bona fide"))
}

// classify reads the column is_bonafide, which must agree with the attack type.
func (s *Score) classify(bonaFide string) error {
	if bonaFide == "" {
		return nil
	}
	live, err := strconv.ParseBool(bonaFide)
	switch {
	case err != nil:
		return fmt.Errorf("is_bonafide %q is neither True nor False", bonaFide)
	case live && s.AttackType != "":
		return fmt.Errorf("is_bonafide is True, and attack_type is %q", s.AttackType)
	case !live && s.AttackType == "":
		s.AttackType = "attack" // of a species that is not told
	}
	return nil
}
