package evaluation

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/liveproof/liveproof/internal/atomicfile"
)

// scoreColumns are those that bob.pad.base 6 writes and reads, in its order, and then ours.
var scoreColumns = []string{"claimed_id", "test_label", "is_bonafide", "attack_type", "score",
	"instrument", "acquired", "verdict", "smoothed", "reasons", "decided_at", "frames_sampled", "frames_scored", "error"}

// WriteScores writes the scores of every set of every fold, one row a presentation, in the layout of bob.pad.base: scores-dev.csv
// and scores-eval.csv, with the fold's name in the middle where it has one (scores-oulu-3.1-dev.csv). It returns the files'
// names. A set without presentations gives no file. Metadata columns come last; one whose name is taken gets
// the prefix meta_.
func WriteScores(dir string, plan Plan, results []Result) (names []string, err error) {
	byName := make(map[string]Result, len(results))
	for _, r := range results {
		byName[r.Name] = r
	}
	meta := plan.MetaNames()
	for _, fold := range plan.Folds {
		for _, set := range []struct {
			name Set
			of   []string
		}{{SetDev, fold.Dev}, {SetEval, fold.Eval}} {
			if len(set.of) == 0 {
				continue
			}
			name := scoresName(fold.Name, set.name)
			write := func(w io.Writer) error { return writeScores(w, set.of, byName, meta) }
			if err := atomicfile.Write(filepath.Join(dir, name), write); err != nil {
				return names, fmt.Errorf("%w: %w", ErrOutput, err)
			}
			names = append(names, name)
		}
	}
	return names, removeOthers(dir, names)
}

// removeOthers deletes scores that an earlier run with another plan left.
func removeOthers(dir string, names []string) error {
	there, err := filepath.Glob(filepath.Join(dir, "scores-*.csv"))
	for _, path := range there {
		if !slices.Contains(names, filepath.Base(path)) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

func scoresName(fold string, set Set) string {
	if fold == "" {
		return fmt.Sprintf("scores-%s.csv", set)
	}
	return fmt.Sprintf("scores-%s-%s.csv", fold, set)
}

func writeScores(w io.Writer, of []string, results map[string]Result, meta []string) error {
	out := csv.NewWriter(w)
	header := slices.Clone(scoreColumns)
	for _, name := range meta {
		if slices.Contains(scoreColumns, name) {
			name = "meta_" + name
		}
		header = append(header, name)
	}
	_ = out.Write(header) // errors are kept for Error
	for _, name := range of {
		r, ok := results[name]
		if !ok {
			return fmt.Errorf("%s has no result", name)
		}
		_ = out.Write(scoreRow(r, meta))
	}
	out.Flush()
	return out.Error()
}

func scoreRow(r Result, meta []string) []string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	truth := map[bool]string{true: "True", false: "False"} // as Python writes it
	reasons := make([]string, len(r.Reasons))
	for i, reason := range r.Reasons {
		reasons[i] = string(reason)
	}
	row := []string{r.Subject, r.Name, truth[r.BonaFide()], r.AttackType, number(r.Score),
		r.Instrument, truth[r.Acquired], string(r.Verdict), number(r.Smoothed), strings.Join(reasons, " "), number(r.DecidedAt),
		strconv.FormatInt(r.Frames.Sampled, 10), strconv.FormatInt(r.Frames.Scored, 10), r.Error}
	for _, name := range meta {
		row = append(row, r.Meta[name])
	}
	return row
}
