package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/calibrate"
	"github.com/liveproof/liveproof/internal/atomicfile"
	"github.com/liveproof/liveproof/internal/check"
)

const calibrateHelp = `Chooses a threshold on ρ from the scores of an evaluation, with its interval and the error rates to
expect, and writes it with its evidence to a calibration file. "liveproof serve" judges by such a file.

  liveproof evaluate --csv dev=dev.csv --csv eval=eval.csv --root videos --out results
  liveproof calibrate --scores results/scores-dev.csv --bpcer 0.05 --out bank-2026.json
  LIVEPROOF_CALIBRATION_DEFAULT=bank-2026.json liveproof serve

One rule:

  --bpcer 0.05   the highest threshold that rejects at most 5 % of the bona fide
  --apcer 0.01   the lowest threshold that lets at most 1 % of the attacks pass, of the worst species
  --eer          where the rejected bona fide and the accepted attacks are closest, as for the threshold that a model
                 carries itself

Scores come from a development set, never from the test set: a threshold that was chosen on the test set makes its
error rates too low. With --set eval it is done nevertheless, with a warning.

A scores file is that of "liveproof evaluate" or of bob.pad, or any table with the columns score, subject and
attack_type (empty for bona fide). The model that gave the scores is read from report.json beside the file, or named with
--model. A threshold holds for this one model file: "serve" refuses it for any other.

What is calibrated is the mean ρ of a video against the threshold. A session needs more: its smoothed ρ must stay
beyond the threshold by verdict.margin for verdict.hold, and is else inconclusive. So sessions pass and fail less often
than videos do at the threshold; report.html of an evaluation has the rates of verdicts. docs/thresholds.md has more.`

// calibrateOptions are the flags of `liveproof calibrate`.
type calibrateOptions struct {
	scores           []string
	bpcer, apcer     float64
	eer              bool
	set, model       string
	out, name        string
	now              func() time.Time
	hasBPCER, hasAPC bool
}

func newCalibrateCommand() *cobra.Command {
	o := calibrateOptions{now: time.Now}
	cmd := &cobra.Command{
		Use:   "calibrate --scores FILE (--bpcer RATE | --apcer RATE | --eer) [--out FILE]",
		Short: "Choose the threshold from the scores of an evaluation", Long: calibrateHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.hasBPCER, o.hasAPC = cmd.Flags().Changed("bpcer"), cmd.Flags().Changed("apcer")
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.scores, "scores", nil, "scores of an evaluation, such as results/scores-dev.csv; several files are taken together")
	f.Float64Var(&o.bpcer, "bpcer", 0, "the highest threshold that rejects at most this share of the bona fide, in (0,1)")
	f.Float64Var(&o.apcer, "apcer", 0, "the lowest threshold that accepts at most this share of the attacks of each species, in (0,1)")
	f.BoolVar(&o.eer, "eer", false, "the threshold at which both errors are closest")
	f.StringVar(&o.set, "set", "", "the set to use: dev (default), or eval against the rule")
	f.StringVar(&o.model, "model", "", "the model that gave the scores, by name or path, where no report.json lies beside them")
	f.StringVar(&o.out, "out", "", "the calibration file to write; without it the threshold is only shown")
	f.StringVar(&o.name, "name", "", "name of the calibration, as session records have it (default: that of --out)")
	return cmd
}

func (o calibrateOptions) run(out, errOut io.Writer) error {
	rule, err := o.rule()
	if err := errors.Join(err, o.check()); err != nil {
		return usage(err)
	}
	from, err := o.read()
	if err != nil {
		return err
	}
	chosen, err := calibrate.Choose(from.scores, rule)
	if err != nil {
		return usage(fmt.Errorf("--scores: %w", err))
	}
	for _, warning := range append(from.warnings, chosen.Warnings...) {
		fmt.Fprintln(errOut, "warning:", warning)
	}
	c := o.calibration(rule, from, chosen)
	data, err := c.Encode()
	if err != nil {
		return err
	}
	if o.out != "" {
		write := func(w io.Writer) error { _, err := w.Write(data); return err }
		if err := atomicfile.Write(o.out, write); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	return printCalibration(out, c, o.out)
}

// rule is the one rule that the flags name.
func (o calibrateOptions) rule() (rule calibration.Rule, err error) {
	n := 0
	for _, r := range []struct {
		given bool
		rule  calibration.Rule
	}{
		{o.hasBPCER, calibration.Rule{Kind: calibration.RuleBPCER, AtMost: o.bpcer}},
		{o.hasAPC, calibration.Rule{Kind: calibration.RuleAPCER, AtMost: o.apcer}},
		{o.eer, calibration.Rule{Kind: calibration.RuleEER}},
	} {
		if r.given {
			rule, n = r.rule, n+1
		}
	}
	if n != 1 {
		return rule, errors.New("name one rule: --bpcer 0.05, --apcer 0.01 or --eer")
	}
	if rule.Kind == calibration.RuleEER {
		return rule, nil
	}
	return rule, check.Between("--"+string(rule.Kind), rule.AtMost, 0, 1)
}

func (o calibrateOptions) check() error {
	_, known := evaluation.ParseSet(o.set)
	return errors.Join(
		check.That("--scores", len(o.scores) > 0, "name a file, such as results/scores-dev.csv"),
		check.That("--set", o.set == "" || known, "%q is neither dev nor eval", o.set),
		check.That("--name", calibration.ValidName(o.nameOr()), "%q is not 1 to 63 characters of a-z, 0-9, - and _", o.nameOr()),
	)
}

var unfit = regexp.MustCompile(`[^a-z0-9_-]+`)

// nameOr is the calibration's name: that of the flag or, made to fit, of the file to write.
func (o calibrateOptions) nameOr() string {
	if o.name != "" {
		return o.name
	}
	base := strings.TrimSuffix(filepath.Base(o.out), filepath.Ext(o.out))
	name := strings.Trim(unfit.ReplaceAllString(strings.ToLower(base), "-"), "-_")
	return cmp.Or(name[:min(63, len(name))], "calibration")
}

func (o calibrateOptions) calibration(rule calibration.Rule, from scoresRead, chosen calibrate.Choice) calibration.Calibration {
	return calibration.Calibration{
		Schema: calibration.Schema, Name: o.nameOr(), Threshold: chosen.Threshold, Interval: chosen.Interval, Rule: rule,
		Expected: chosen.Expected, Model: calibration.Model{Name: from.by.Model.Name, SHA256: from.by.Model.SHA256},
		Evidence: calibration.Evidence{
			Scores: from.files, Set: string(from.set), BonaFide: chosen.BonaFide, Attacks: chosen.Attacks,
			Subjects: chosen.Subjects, Species: chosen.Species,
			ConfigSHA256: from.by.ConfigSHA256, Detector: from.by.Detector, Provider: from.by.Model.Provider, Precision: from.by.Model.Precision,
		},
		Made: calibration.Made{At: o.now().UTC().Truncate(time.Second), By: "liveproof " + currentRelease().Version},
	}
}
