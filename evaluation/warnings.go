package evaluation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/liveproof/liveproof/benchmark"
)

// warnings are what is missing of a protocol, each once, with the folds that it is missing in.
type warnings []foldWarning

type foldWarning struct {
	text  string
	folds []string
}

// add says which videos a fold lacks.
func (w *warnings) add(protocol benchmark.Protocol, uses []benchmark.Use, fold Fold) {
	say := func(format string, args ...any) { w.say(protocol.Name, fmt.Sprintf(format, args...)) }
	if len(fold.Dev) == 0 {
		say("no development videos: the threshold is the model's own")
	}
	var absent []string
	for _, s := range protocol.Shortfalls(uses) {
		switch {
		case s.Role == benchmark.RoleTrain:
		case s.Found == 0:
			absent = append(absent, s.Dataset)
		default:
			say("%v", s)
		}
	}
	if len(absent) > 0 && len(fold.Dev) > 0 {
		say("no development videos of %s", strings.Join(absent, ", "))
	}
}

func (w *warnings) say(fold, text string) {
	i := slices.IndexFunc(*w, func(have foldWarning) bool { return have.text == text })
	if i < 0 {
		*w = append(*w, foldWarning{text, []string{fold}})
		return
	}
	(*w)[i].folds = append((*w)[i].folds, fold)
}

// list has a line for each warning, which begins with its folds.
func (w warnings) list() (lines []string) {
	for _, one := range w {
		lines = append(lines, strings.Join(one.folds, ", ")+": "+one.text)
	}
	return lines
}
