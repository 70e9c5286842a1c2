package report

import (
	"fmt"
	"strconv"
	"strings"
)

// summary states the outcome in a sentence or two: at the model's threshold, or at the realistic one where there is none.
func summary(r *Report) string {
	if len(r.Folds) > 1 {
		return summaryOfFolds(r)
	}
	for _, rule := range []Rule{RuleModel, RuleRealistic} {
		if a := r.Folds[0].at(rule); a.Threshold != nil {
			return sentence(a)
		}
	}
	return fmt.Sprintf("No threshold is known for %s: %s, and %s. Without one no rate of errors can be stated.",
		number(r.Counts.All(), "presentation"), r.Folds[0].at(RuleModel).Missing, r.Folds[0].at(RuleRealistic).Missing)
}

func sentence(a At) string {
	var parts []string
	if p := a.APCERPooled; p != nil {
		part := fmt.Sprintf("%d of %s %s accepted (%s, 95 %% interval %s)", p.Count, number(p.Of, "attack"), were(p.Count), percent(p.Value), interval(p.Low, p.High))
		if len(a.Species) > 1 {
			part += fmt.Sprintf(", at worst %d of %d of the species %s (APCER %s)", a.APCER.Count, a.APCER.Of, a.APCER.Name, percent(a.APCER.Value))
		}
		parts = append(parts, part)
	}
	if p := a.BPCER; p != nil {
		parts = append(parts, fmt.Sprintf("%d of %d bona fide %s rejected (BPCER %s, %s)", p.Count, p.Of, were(p.Count), percent(p.Value), interval(p.Low, p.High)))
	}
	return fmt.Sprintf("At %s, %s.", ruleWords[a.Rule].at, strings.Join(parts, ", and "))
}

func summaryOfFolds(r *Report) string {
	var parts []string
	for _, rule := range []Rule{RuleRealistic, RuleModel, RuleIdealised} {
		if s := r.over(rule, "acer"); s != nil {
			parts = append(parts, fmt.Sprintf("%s ± %s at %s", percent(s.Mean), percent(s.Std1), ruleWords[rule].at))
		}
	}
	if parts == nil {
		return fmt.Sprintf("Over %d folds ACER is not defined: %s.", len(r.Folds), oneClass(r.Counts))
	}
	return fmt.Sprintf("Over %d folds ACER is %s (mean ± standard deviation, n − 1).", len(r.Folds), strings.Join(parts, ", "))
}

// over finds a figure's mean over the folds.
func (r *Report) over(rule Rule, figure string) *Spread {
	for i, s := range r.OverFolds {
		if s.Rule == rule && s.Figure == figure {
			return &r.OverFolds[i]
		}
	}
	return nil
}

// ruleWords are the words for a threshold: its name, where it was chosen, and how a sentence says it.
var ruleWords = map[Rule]struct{ name, chosen, at string }{
	RuleModel:     {"The model’s own", "carried by the model", "the model’s threshold"},
	RuleRealistic: {"Realistic", "equal-error point of the development set", "the realistic threshold"},
	RuleIdealised: {"Idealised", "equal-error point of the measured set itself", "the idealised threshold"},
}

// percent shows a share to a tenth of a per cent, and to a hundredth where it is small; never "0.0 %" for an error that happened.
func percent(v float64) string {
	if p := 100 * v; p > 0 && p < 1 {
		return trim(p, 2) + " %"
	}
	return trim(100*v, 1) + " %"
}

func trim(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if digits == 1 && (s == "0.0" || s == "100.0") && (v == 0 || v == 100) {
		return strings.TrimSuffix(s, ".0")
	}
	return s
}

func interval(low, high float64) string {
	return strings.TrimSuffix(percent(low), " %") + "–" + percent(high)
}

// number writes a count with its noun.
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
