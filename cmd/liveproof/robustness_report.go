package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/report"
	"github.com/liveproof/liveproof/evaluation/robustness"
	"github.com/liveproof/liveproof/internal/atomicfile"
)

// conclude writes the report in all its forms and prints it.
func (o robustnessOptions) conclude(cfg Config, plan evaluation.Plan, s *sweep, out io.Writer) error {
	model, _, err := evaluatedBy(cfg, s.runs.Original[0].Model)
	if err != nil {
		return err
	}
	r := robustness.Build(s.runs, s.encodings, o.losses, model.Threshold)
	r.Title, r.Mode = plan.Title, liveproof.ModeOnboarding
	asJSON := func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(r)
	}
	for name, write := range map[string]func(io.Writer) error{
		"robustness.json": asJSON, "robustness.txt": r.Text, "robustness.md": r.Markdown,
		"robustness.svg": func(w io.Writer) error { return report.PlotRobustness(w, r) },
	} {
		if err := atomicfile.Write(filepath.Join(o.evaluate.out, name), write); err != nil {
			return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.evaluate.out))
		}
	}
	printed := r.Text
	if o.evaluate.json {
		printed = asJSON
	}
	if err := printed(out); err != nil {
		return err
	}
	all := s.runs.Original
	for _, e := range s.encodings {
		all = append(all, s.runs.Reencoded[e]...)
		for _, loss := range o.losses {
			all = append(all, s.runs.WebRTC[robustness.Cell{Encoding: e, Loss: loss}]...)
		}
	}
	return failure(all)
}
