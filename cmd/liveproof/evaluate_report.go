package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/report"
	"github.com/liveproof/liveproof/internal/atomicfile"
)

// about is what the report says of the run.
func (o evaluateOptions) about(s evaluation.Settings) report.About {
	a := report.About{
		Command: append([]string{"liveproof"}, os.Args[1:]...), Version: currentRelease().Version, Host: thisHost(),
		ThresholdFrom: "the model's metadata", ConfigSHA256: s.Config, Via: s.Via, By: o.by,
		Rehearsal: o.rehearsal, Pictures: o.pictures,
	}
	return a
}

// thisHost describes the machine as far as Linux tells; elsewhere less is known.
func thisHost() report.Host {
	host := report.Host{OS: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.GOMAXPROCS(0)}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		host.CPU = fieldOf(string(text), "model name")
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib int64
		if n, _ := fmt.Sscanf(fieldOf(string(text), "MemTotal"), "%d kB", &kib); n == 1 {
			host.Memory = kib << 10
		}
	}
	return host
}

// fieldOf returns the value of the first line "name: value".
func fieldOf(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// conclude writes scores and report, and says what they are.
func (o evaluateOptions) conclude(cfg Config, plan evaluation.Plan, results []evaluation.Result, about report.About, out io.Writer) error {
	failed := failure(results)
	about.Thumbnail = thumbnails(cfg.Media) // asked only with --pictures
	if o.meanBy != "" {
		var err error
		if plan, results, err = evaluation.MeanBy(plan, results, o.meanBy); err != nil {
			return usage(fmt.Errorf("--mean-by: %w", err))
		}
	}
	if o.quality {
		about.Refuses = cfg.Detector.Quality.Refuses
	}
	scores, err := evaluation.WriteScores(o.out, plan, results)
	if err != nil {
		return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.out))
	}
	if o.publish.server == "" && len(results) > 0 {
		if about.Model, about.ThresholdFrom, err = evaluatedBy(cfg, results[0].Model); err != nil {
			return err
		}
	}
	r, err := report.Build(plan, results, about)
	if err != nil {
		return err
	}
	if err := r.Write(o.out); err != nil {
		return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.out))
	}
	if err := o.plotQuality(r); err != nil {
		return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.out))
	}
	if err := o.print(r, scores, out); err != nil {
		return err
	}
	return failed
}

// plotQuality writes the panels of the section on quality as a file of their own.
func (o evaluateOptions) plotQuality(r *report.Report) error {
	if r.Quality == nil {
		return nil
	}
	return atomicfile.Write(filepath.Join(o.out, "quality.svg"), r.Quality.Plot)
}

// evaluatedBy is the model with the threshold that judged with this configuration, and where the threshold is from.
func evaluatedBy(cfg Config, model liveproof.ModelInfo) (m liveproof.ModelInfo, from string, err error) {
	rules, err := calibration.Load(cfg.Calibration, cfg.Verdict.Threshold)
	if err != nil {
		return model, "", err
	}
	t, err := rules.For(liveproof.Session{}, model)
	model.Threshold = t.Value
	switch {
	case t.Calibration != "":
		from = fmt.Sprintf("the calibration %s of the configuration", t.Calibration)
	case t.Source == liveproof.ThresholdOfConfiguration:
		from = "verdict.threshold of the configuration"
	default:
		from = "the model's metadata"
	}
	return model, from, err
}

func (o evaluateOptions) print(r *report.Report, scores []string, out io.Writer) error {
	if o.json {
		return json.NewEncoder(out).Encode(r)
	}
	if err := r.Text(out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nreport: %s\nscores: %s\n", filepath.Join(o.out, "report.html"), strings.Join(joinAll(o.out, scores), " "))
	return err
}

func joinAll(dir string, names []string) (paths []string) {
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}
