package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/liveproof/liveproof/evaluation"
)

// few is the number of subjects below which intervals over subjects mean little, and rare that of attacks of a species.
const (
	few  = 20
	rare = 30
)

// warnings are what a reader must know before the figures, the gravest first.
func warnings(r *Report, plan evaluation.Plan, sets foldSets, measured []record) []Warning {
	list := []Warning{}
	add := func(applies bool, code, format string, args ...any) {
		if applies {
			list = append(list, Warning{code, fmt.Sprintf(format, args...)})
		}
	}
	add(r.About.Model.Demo, "demo_model", "The model is for demonstration: it learned from rendered attacks and never saw a real one. "+
		"Its error rates do not tell what a model trained on real attacks would reach.")
	add(severalModels(measured), "several_models", "The presentations were judged by more than one model. The figures mix them.")
	add(r.Quality != nil, "unlimited", "The limits of quality were off, so that what they refuse is measured too: verdicts and rates are not those of a session. The section on quality tells what the limits change.")
	c := r.Counts
	add(c.Attacks == 0 || c.BonaFide == 0, "single_class", "%s.", capital(oneClass(c)))
	for _, text := range plan.Warnings {
		add(true, "plan", "%s.", capital(strings.TrimSuffix(clean(text), ".")))
	}
	add(guessing(r), "no_skill", "The interval of the AUC reaches 50 %%: these scores may be no better than a guess.")
	add(sharedNames(sets), "dev_in_eval", "Presentations of the development set are measured too, so the realistic threshold is optimistic.")
	add(r.Protocol == "" && sharedSubjects(sets), "subjects_shared", "Subjects of the development set are measured too: the realistic threshold has seen these people.")
	add(r.Folds[0].at(RuleModel).Threshold == nil, "no_model_threshold", "The model carries no threshold. Choose one with liveproof calibrate.")
	add(r.Folds[0].at(RuleRealistic).Threshold == nil, "no_realistic", "There is no realistic threshold: %s.", r.Folds[0].at(RuleRealistic).Missing)
	add(r.Folds[0].at(RuleIdealised).Threshold != nil, "idealised", "The idealised threshold was chosen on the measured presentations themselves. "+
		"Its rates are optimistic; they stand here because published tables print them.")
	add(c.Subjects < few, "few_subjects", "Only %s: the videos of one person are alike, so the true rates may lie further off than the counts suggest.",
		number(c.Subjects, "subject"))
	names, smallest := rareSpecies(r)
	add(names != "", "few_attacks", "Few attacks of %s. With %s and no error the true APCER may still be %s (95 %%, one-sided).", names, number(smallest, "attack"), percent(boundWithoutError(smallest)))
	add(c.NotAcquired > 0, "not_acquired", "%s without a scored frame. The score is 0 by rule, so they count as rejected: "+
		"that lowers APCER and raises BPCER. They are listed below.", number(c.NotAcquired, "presentation"))
	add(len(r.Unfinished) > 0, "unfinished", "%s could not be read or judged to the end.", number(len(r.Unfinished), "file"))
	add(c.Stills > 0, "stills", "%s without a verdict: the tables of verdicts leave them out.", number(c.Stills, "still picture"))
	return list
}

// guessing reports whether a fold's scores cannot be told from chance.
func guessing(r *Report) bool {
	return slices.ContainsFunc(r.Folds, func(f Fold) bool { return f.AUC != nil && f.AUC.Low != nil && *f.AUC.Low <= 0.5 })
}

func severalModels(measured []record) bool {
	return len(values(measured, func(r record) string { return r.Model.SHA256 }, nil)) > 1
}

func sharedNames(sets foldSets) bool {
	return shared(sets, func(r record) string { return r.Name })
}

func sharedSubjects(sets foldSets) bool {
	return shared(sets, func(r record) string { return r.Subject })
}

// shared reports whether a fold's two sets have a value in common.
func shared(sets foldSets, of func(record) string) bool {
	for i := range sets.dev {
		dev := values(sets.dev[i], of, nil)
		if slices.ContainsFunc(sets.eval[i], func(r record) bool { _, found := slices.BinarySearch(dev, of(r)); return found }) {
			return true
		}
	}
	return false
}

// rareSpecies names the species with few attacks.
func rareSpecies(r *Report) (names string, smallest int) {
	for _, s := range r.Species {
		if s.Attacks >= rare {
			continue
		}
		if names != "" {
			names += ", "
		}
		names += fmt.Sprintf("%s (%d)", s.Name, s.Attacks)
		if smallest == 0 || s.Attacks < smallest {
			smallest = s.Attacks
		}
	}
	return names, smallest
}
