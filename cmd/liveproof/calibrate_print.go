package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/verdict"
)

// printCalibration says in words what was chosen, on what, what to expect of it and how it is used.
func printCalibration(out io.Writer, c calibration.Calibration, path string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "threshold %.4f (%.0f %% interval %.4f to %.4f) by the rule %s: %s\n", c.Threshold, 100*c.Interval.Confidence,
		c.Interval.Low, c.Interval.High, c.Rule, ruleInWords(c.Rule))
	e := c.Evidence
	fmt.Fprintf(&b, "chosen on %d bona fide and %d attacks%s of %d subjects%s; model %s, sha256 %.12s…\n\n", e.BonaFide, e.Attacks,
		speciesInWords(e.Species), e.Subjects, setInWords(e.Set), c.Model.Name, c.Model.SHA256)
	fmt.Fprintf(&b, "expected of single videos at this threshold, with intervals over whole subjects:\n")
	printRate(&b, "BPCER", "bona fide that are rejected", c.Expected.BPCER)
	printRate(&b, "APCER", "attacks that are accepted", c.Expected.APCER)
	printMeaning(&b)
	printUse(&b, path)
	_, err := b.WriteTo(out)
	return err
}

func ruleInWords(r calibration.Rule) string {
	switch r.Kind {
	case calibration.RuleBPCER:
		return fmt.Sprintf("the highest that rejects at most %.3g %% of the bona fide", 100*r.AtMost)
	case calibration.RuleAPCER:
		return fmt.Sprintf("the lowest score at which at most %.3g %% of each species of attacks pass", 100*r.AtMost)
	}
	return "where the rejected bona fide and the accepted attacks are closest"
}

func speciesInWords(species map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(species)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, species[name]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func setInWords(set string) string {
	if set == "" {
		return ""
	}
	return ", set " + set
}

func printRate(b *bytes.Buffer, name, meaning string, r *calibration.Rate) {
	if r == nil {
		fmt.Fprintf(b, "  %s  not known: there is nothing to count it on\n", name)
		return
	}
	worst := ""
	if r.Species != "" {
		worst = ", species " + r.Species + ", the worst"
	}
	fmt.Fprintf(b, "  %s  %5.1f %%  (%d of %d%s; interval %.1f to %.1f %%): %s\n", name, 100*r.Value(), r.Errors, r.Of, worst,
		100*r.Interval.Low, 100*r.Interval.High, meaning)
}

func printMeaning(b *bytes.Buffer) {
	p := verdict.DefaultPolicy()
	fmt.Fprintf(b, `
The mean ρ of a whole video was compared with the threshold. A session's verdict needs more: its smoothed ρ (verdict.tau) must stay
above the threshold + verdict.margin (%v by default) for verdict.hold (%v) to be live, below the threshold - verdict.margin to be spoof, and is
else inconclusive. So of sessions fewer are live and fewer are spoof than these rates say.
`, p.Margin, p.Hold)
}

func printUse(b *bytes.Buffer, path string) {
	if path == "" {
		fmt.Fprint(b, "\nNothing was written; --out FILE writes the calibration for \"liveproof serve\".\n")
		return
	}
	fmt.Fprintf(b, `
wrote %[1]s. Every session of a server with this configuration is judged by it:

  calibration: {default: %[1]s}

or, without a file, with LIVEPROOF_CALIBRATION_DEFAULT=%[1]s. calibration.tenants is for tenants, calibration.requests for names
that a request may ask for. SIGHUP reads changed files again.
`, path)
}
