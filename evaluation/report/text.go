package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Text writes the most important figures as a table for a terminal.
func (r *Report) Text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n%s\n\n%s\n\n", r.Title, headline(r), r.Summary)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	r.textRates(table)
	r.textSpecies(table)
	r.textQuality(table)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, warning := range r.Warnings {
		if _, err := fmt.Fprintf(w, "! %s\n", warning.Text); err != nil {
			return err
		}
	}
	return nil
}

// textRates has a line a threshold; over several folds the means.
func (r *Report) textRates(w io.Writer) {
	fmt.Fprint(w, "threshold\tt\tHTER %\tAPCER %\tBPCER %\tACER %\n")
	for _, rule := range []Rule{RuleModel, RuleRealistic, RuleIdealised} {
		if len(r.Folds) > 1 {
			fmt.Fprintf(w, "%s\tmean\t%s\t%s\t%s\t%s\n", rule, r.textMean(rule, "hter"), r.textMean(rule, "apcer"), r.textMean(rule, "bpcer"), r.textMean(rule, "acer"))
			continue
		}
		a := r.Folds[0].at(rule)
		if a.Threshold == nil {
			fmt.Fprintf(w, "%s\tnot given: %s\n", rule, a.Missing)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", rule, shownThreshold(a.Threshold), textValue(a.HTER.value()), textValue(a.APCER.value()), textValue(a.BPCER.value()), textValue(a.ACER.value()))
	}
	if len(r.Folds) == 1 && r.Folds[0].AUC != nil {
		fmt.Fprintf(w, "\nAUC %s %%, EER %s %%\n", precise(r.Folds[0].AUC.Value), precise(r.Folds[0].EER.Value))
	}
	fmt.Fprintln(w)
}

func textValue(v *float64) string {
	if v == nil {
		return "–"
	}
	return precise(*v)
}

func (r *Report) textMean(rule Rule, figure string) string {
	s := r.over(rule, figure)
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%s ± %s", precise(s.Mean), precise(s.Std1))
}

// textSpecies has a line for the bona fide and for each species, with the verdicts where there are some.
func (r *Report) textSpecies(w io.Writer) {
	v := r.Verdicts
	if v == nil {
		return
	}
	fmt.Fprint(w, "verdicts\tvideos\tlive\tspoof\tinconclusive\n")
	row := func(x VerdictRow) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", x.Name, x.Videos, x.Live.Count, x.Spoof.Count, x.Inconclusive.Count)
	}
	if v.BonaFide != nil {
		row(*v.BonaFide)
	}
	for _, s := range v.Species {
		row(s)
	}
	for _, t := range v.Times {
		fmt.Fprintf(w, "decided, %s\t%d\tmedian %.1f s, 90 %% within %.1f s\n", t.Name, t.Videos, t.Median, t.P90)
	}
	fmt.Fprintln(w)
}

// textQuality has a line for what the limits of quality keep and refuse, and one for each bin of each measure.
func (r *Report) textQuality(w io.Writer) {
	if r.Quality == nil {
		return
	}
	fmt.Fprint(w, "samples\tof bona fide %\tBPCER %\tof attacks %\tAPCER %\n")
	for _, l := range r.Quality.Limits {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Name, textRate(l.Share), textRate(l.BPCER), textRate(l.AttackShare), textRate(l.APCER))
	}
	for _, m := range r.Quality.Measures {
		fmt.Fprintf(w, "\n%s, %s\tsubjects\tBPCER %%\t\tAPCER %%\n", m.Name, m.Unit)
		for _, b := range m.Bins {
			fmt.Fprintf(w, "%s\t%d\t%s\t\t%s\n", b.interval(), b.Subjects, textRate(b.BPCER), textRate(b.APCER))
		}
	}
	fmt.Fprintln(w)
}

// textRate is a rate with its counts.
func textRate(r *Rate) string {
	if r == nil {
		return "–"
	}
	return fmt.Sprintf("%s (%d of %d)", precise(r.Value), r.Count, r.Of)
}
