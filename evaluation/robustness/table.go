package robustness

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/liveproof/liveproof"
)

// table is a heading and rows of equal length.
type table struct {
	title   string
	heading []string
	rows    [][]string
}

// Text writes the tables for a terminal.
func (r Report) Text(out io.Writer) error {
	if _, err := fmt.Fprintln(out, r.caption()); err != nil {
		return err
	}
	for _, t := range r.tables() {
		fmt.Fprintf(out, "\n%s\n", t.title)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, row := range append([][]string{t.heading}, t.rows...) {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Markdown writes the tables in GitHub's Markdown.
func (r Report) Markdown(out io.Writer) error {
	line := func(cells []string) string {
		escaped := strings.ReplaceAll(strings.Join(cells, "\x00"), "|", `\|`) // as in |Δρ|
		return "| " + strings.ReplaceAll(escaped, "\x00", " | ") + " |\n"
	}
	if _, err := fmt.Fprintln(out, r.caption()); err != nil {
		return err
	}
	for _, t := range r.tables() {
		rules := make([]string, len(t.heading))
		for i := range rules {
			rules[i] = "---"
		}
		var text strings.Builder
		text.WriteString("\n**" + t.title + "**\n\n" + line(t.heading) + line(rules))
		for _, row := range t.rows {
			text.WriteString(line(row))
		}
		if _, err := io.WriteString(out, text.String()); err != nil {
			return err
		}
	}
	return nil
}

func (r Report) caption() string {
	model := r.Model.Name
	if r.Model.Demo {
		model += " (demo)"
	}
	return fmt.Sprintf("%d bona fide and %d attack files, model %s, threshold %.3f, detector %s, mode %s",
		r.BonaFide, r.Attacks, model, r.Threshold, r.Detector, r.Mode)
}

func (r Report) tables() []table { return []table{r.parity(), r.sweep()} }

// parity has a row for each step between the original file and WebRTC without loss.
func (r Report) parity() table {
	t := table{
		title:   "What the encoder and WebRTC without loss change",
		heading: []string{"encoding", "step", "mean |Δρ|", "median", "p95", "max", "mean Δρ", "same verdict"},
	}
	for _, e := range r.Encodings {
		t.rows = append(t.rows, changeRow(e.String(), "original → re-encoded", e.Encoder))
		for _, s := range e.WebRTC {
			if s.Loss == 0 {
				t.rows = append(t.rows, changeRow(e.String(), "re-encoded → WebRTC", s.FromReencoded), changeRow(e.String(), "original → WebRTC", s.FromOriginal))
			}
		}
	}
	return t
}

func changeRow(name, step string, c Change) []string {
	d := c.Delta
	return []string{name, step, rho(d.Mean), rho(d.Median), rho(d.P95), rho(d.Max), fmt.Sprintf("%+.3f", c.Shift),
		fmt.Sprintf("%s of %d", percent(c.Agreement), c.Files)}
}

// sweep has a row for each path. Changes of verdicts count from the direct run of the original files.
func (r Report) sweep() table {
	t := table{
		title: "Error rates and changes of verdicts from the original files",
		heading: []string{"encoding", "path", "mean |Δρ|", "p95", "HTER", "live→spoof", "spoof→live", "live→none", "spoof→none", "none→live", "none→spoof",
			"inconclusive", "not scored", "failed", "overload"},
	}
	t.rows = append(t.rows, pathRow("none", "direct", r.Original, nil))
	for _, e := range r.Encodings {
		t.rows = append(t.rows, pathRow(e.String(), "direct", e.Reencoded, &e.Encoder))
		for _, s := range e.WebRTC {
			t.rows = append(t.rows, pathRow(e.String(), "WebRTC, loss "+percent(s.Loss), s.Outcome, &s.FromOriginal))
		}
	}
	return t
}

func pathRow(name, path string, o Outcome, c *Change) []string {
	row := []string{name, path}
	if c == nil {
		row = append(row, "", "", hter(o), "", "", "", "", "", "")
	} else {
		row = append(row, rho(c.Delta.Mean), rho(c.Delta.P95), hter(o))
		const live, spoof, none = liveproof.OutcomeLive, liveproof.OutcomeSpoof, liveproof.OutcomeInconclusive
		for _, step := range [][2]liveproof.Outcome{{live, spoof}, {spoof, live}, {live, none}, {spoof, none}, {none, live}, {none, spoof}} {
			row = append(row, strconv.Itoa(c.Verdicts.Count(step[0], step[1])))
		}
	}
	return append(row, percent(o.Inconclusive), strconv.Itoa(o.NotScored), strconv.Itoa(o.Failed), strconv.FormatInt(o.Overloaded, 10))
}

func rho(v float64) string { return fmt.Sprintf("%.3f", v) }

func hter(o Outcome) string {
	if o.HTER == nil {
		return "–"
	}
	return percent(*o.HTER)
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
