package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/check"
)

const layoutHelp = `Lays out an empty dataset: folders and list files exactly as its authors have them, and plan.csv, one
row for each video that must be filmed to fill it, which python3 -m liveproof_render dataset does.

  liveproof layout --dataset NAME --out DIR                                 all of it at true size
  liveproof layout --dataset NAME --out DIR --subjects 4/2/4 --every 6 --scale 0.25 --rate 15

--subjects counts the subjects of train, dev and test; a dataset without a dev split ignores that number.
--every N keeps every Nth combination of camera and session of a subject, with all bona fide and attack
files of it, and starts one combination later for each subject: N subjects together have them all.`

// layoutOptions are the flags of `liveproof layout`.
type layoutOptions struct {
	dataset, out, subjects string
	plan                   benchmark.LayoutOptions
}

func newLayoutCommand() *cobra.Command {
	o := layoutOptions{}
	cmd := &cobra.Command{
		Use: "layout --dataset NAME --out DIR", Short: "Lay out a dataset to be filmed by the renderer", Long: layoutHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dataset, "dataset", "", "one of "+strings.Join(benchmark.Known().Names(), ", "))
	f.StringVar(&o.out, "out", "", "folder to lay out")
	f.StringVar(&o.subjects, "subjects", "", "train/dev/test: how many subjects, such as 4/2/4; all when empty")
	f.IntVar(&o.plan.Every, "every", 1, "keep every Nth combination of camera and session")
	f.Float64Var(&o.plan.Scale, "scale", 1, "of the true frame size, in (0, 1]; sides become multiples of 16")
	f.Float64Var(&o.plan.Rate, "rate", 0, "frames a second; 0: the dataset's own")
	return cmd
}

func (o layoutOptions) run(out io.Writer) error {
	dataset, err := benchmark.Known().Open(o.dataset)
	if err != nil {
		return usage(fmt.Errorf("--dataset: %w", err))
	}
	if o.out == "" {
		return usage(errors.New("--out: a folder is needed"))
	}
	if o.plan.Subjects, err = benchmark.ParseSubjectCounts(o.subjects); err != nil {
		return usage(fmt.Errorf("--subjects: %w", err))
	}
	plans, err := dataset.Layout(o.plan)
	if err != nil {
		return usage(check.Prefix("--", err))
	}
	if err := dataset.WriteLayout(o.out, plans); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	_, err = fmt.Fprintf(out, "%d videos to film: %s\n", len(plans), filepath.Join(o.out, benchmark.PlanName))
	return err
}
