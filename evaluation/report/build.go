package report

import (
	"errors"
	"fmt"

	"github.com/liveproof/liveproof/evaluation"
)

// ErrResults is why Build refuses results: they are not the plan's, each once, with scores in [0,1].
var ErrResults = errors.New("the results are not the plan's")

// Build computes the report of one result for each presentation of the plan, in any order. Equal input gives an equal
// report. It fails with [ErrResults].
func Build(plan evaluation.Plan, results []evaluation.Result, about About) (*Report, error) {
	records, err := index(plan, results)
	if err != nil {
		return nil, err
	}
	about = withDefaults(about, results)
	r := &Report{
		Format: Format, Title: clean(plan.Title), Protocol: clean(plan.Protocol), Population: clean(plan.Population), About: about,
		Level: Level, Resamples: resamples, Missing: map[string]string{}, Published: published(plan),
	}
	sets, err := r.addFolds(plan, records)
	if err != nil {
		return nil, err
	}
	measured := union(sets.eval)
	if len(measured) == 0 {
		return nil, fmt.Errorf("%w: no fold measures a presentation", ErrResults)
	}
	if err := r.addTables(measured, common(sets, about)); err != nil {
		return nil, err
	}
	r.addPictures(measured)
	r.Warnings = warnings(r, plan, sets, measured)
	r.Summary = summary(r)
	return r, nil
}

// withDefaults takes from the results what the caller does not know, and makes all texts safe to show.
func withDefaults(about About, results []evaluation.Result) About {
	if about.Cluster == "" {
		about.Cluster = "subject"
	}
	by := make([]string, len(about.By))
	for i, name := range about.By {
		by[i] = clean(name) // as in the records
	}
	about.By = by
	for _, r := range results {
		if about.Model.SHA256 == "" {
			about.Model = r.Model
		}
		if about.Detector == "" {
			about.Detector = r.Detector
		}
	}
	command := make([]string, len(about.Command))
	for i, word := range about.Command {
		command[i] = clean(word)
	}
	about.Command = command
	for _, s := range []*string{
		&about.Cluster, &about.Version, &about.ThresholdFrom, &about.Detector, &about.ConfigSHA256, &about.Host.OS, &about.Host.CPU,
		&about.Model.Name, &about.Model.SHA256, &about.Model.Provider, &about.Model.Precision,
	} {
		*s = clean(*s)
	}
	return about
}

// foldSets are the records of each fold.
type foldSets struct{ dev, eval [][]record }

func (r *Report) addFolds(plan evaluation.Plan, records map[string]record) (sets foldSets, err error) {
	for _, f := range plan.Folds {
		dev, err := pick(records, f.Dev, f.Name)
		if err != nil {
			return sets, err
		}
		eval, err := pick(records, f.Eval, f.Name)
		if err != nil {
			return sets, err
		}
		one, err := fold(f.Name, dev, eval, r.About)
		if err != nil {
			return sets, fmt.Errorf("fold %q: %w", f.Name, err)
		}
		r.Folds = append(r.Folds, one)
		sets.dev, sets.eval = append(sets.dev, dev), append(sets.eval, eval)
	}
	r.OverFolds, err = overFolds(r.Folds)
	return sets, err
}

// union is every record once, in the order of the first fold that has it.
func union(lists [][]record) (all []record) {
	seen := map[*evaluation.Result]bool{}
	for _, list := range lists {
		for _, r := range list {
			if !seen[r.original] {
				seen[r.original] = true
				all = append(all, r)
			}
		}
	}
	return all
}

// common are the thresholds that hold for all measured records: with several folds only the model's.
func common(sets foldSets, about About) (found []threshold) {
	list := []threshold{modelThreshold(about)}
	if len(sets.eval) == 1 {
		list = thresholds(sets.dev[0], sets.eval[0], about)
	}
	for _, t := range list {
		if t.missing == "" {
			found = append(found, t)
		}
	}
	return found
}

func (r *Report) addTables(measured []record, rules []threshold) (err error) {
	r.Counts = count(measured)
	if r.Species, err = attackRows(measured, "attack_type", rules, r.About); err != nil {
		return err
	}
	if _, attacks := split(measured); haveInstruments(attacks) {
		if r.Instruments, err = attackRows(measured, "instrument", rules, r.About); err != nil {
			return err
		}
	}
	if r.Groupings, err = groupings(measured, rules, r.About); err != nil {
		return err
	}
	r.Quality = quality(measured, rules, r.About)
	if r.Verdicts = verdicts(measured); r.Verdicts == nil {
		r.Missing["verdicts"] = "All files are still pictures. A verdict needs a video."
	}
	r.NotAcquired = failures(measured, func(r record) bool { return !r.Acquired })
	r.Unfinished = failures(measured, func(r record) bool { return r.Error != "" })
	if r.About.Rehearsal {
		r.Rehearsal = rehearsal(r, measured)
	}
	return nil
}

// addPictures adds what is drawn, and the worst videos.
func (r *Report) addPictures(measured []record) {
	r.Histogram = histogram(measured, r.Folds)
	if r.Curves = curves(measured); r.Curves == nil {
		r.Missing["curves"] = oneClass(r.Counts)
	}
	attacks, bonaFide := worst(measured)
	r.WorstAttacks, r.WorstBonaFide = videos(attacks), videos(bonaFide)
	if !r.About.Pictures || r.About.Thumbnail == nil {
		return
	}
	r.thumbnails = map[string][]byte{}
	for _, one := range append(attacks, bonaFide...) {
		if picture, err := r.About.Thumbnail(*one.original); err == nil && len(picture) > 0 {
			r.thumbnails[one.Name] = picture
		}
	}
}
