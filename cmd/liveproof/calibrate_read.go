package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/models"
)

// maxSide caps a file of an evaluation, in bytes.
const maxSide = 64 << 20

// scoresRead is what the scores files say.
type scoresRead struct {
	scores   []evaluation.Score
	files    []calibration.Source
	set      evaluation.Set
	by       judgedBy
	warnings []string
}

// judgedBy is what gave the scores, as report.json of an evaluation says.
type judgedBy struct {
	Model        liveproof.ModelInfo `json:"model"`
	Detector     string              `json:"detector"`
	ConfigSHA256 string              `json:"config_sha256"`
}

func (o calibrateOptions) read() (from scoresRead, err error) {
	for _, path := range o.scores {
		data, err := readSide(path)
		if err != nil {
			return from, usage(fmt.Errorf("--scores: %w", err))
		}
		scores, err := evaluation.ReadScores(path, bytes.NewReader(data))
		if err != nil {
			return from, usage(fmt.Errorf("--scores: %w", err))
		}
		sum := sha256.Sum256(data)
		from.scores = append(from.scores, scores...)
		from.files = append(from.files, calibration.Source{File: filepath.Base(path), SHA256: hex.EncodeToString(sum[:])})
	}
	if err := from.choose(o); err != nil {
		return from, usage(err)
	}
	from.by, err = o.judgedBy()
	return from, err
}

func readSide(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSide+1))
	if err == nil && len(data) > maxSide {
		return nil, fmt.Errorf("%s: more than %d MiB", path, maxSide>>20)
	}
	return data, err
}

// choose keeps the scores of one set: that of --set, else the development set, else what there is. The test set is
// refused while there is a development set.
func (r *scoresRead) choose(o calibrateOptions) error {
	has := func(set evaluation.Set) bool {
		return slices.ContainsFunc(r.scores, func(s evaluation.Score) bool { return s.Set == set })
	}
	asked, _ := evaluation.ParseSet(o.set)
	switch {
	case asked != "":
		r.set = asked
	case has(evaluation.SetDev):
		r.set = evaluation.SetDev
	case has(""):
		r.set = ""
	case has(evaluation.SetEval):
		if dev := o.developmentSet(); dev != "" {
			return fmt.Errorf("--scores: these are scores of the test set, and there is a development set (%s). A threshold comes from a development set, never from "+
				"the test set, whose error rates it would make too low. Give --scores %s, or --set eval to do it nevertheless", dev, dev)
		}
		r.set = evaluation.SetEval
	}
	r.scores = slices.DeleteFunc(r.scores, func(s evaluation.Score) bool { return s.Set != r.set })
	if len(r.scores) == 0 {
		return fmt.Errorf("--set: the scores have no presentation of the set %q", r.set)
	}
	if r.set == evaluation.SetEval {
		r.warnings = append(r.warnings, "the threshold is chosen on the test set: the error rates that are measured on it say nothing of this threshold any more. Measure on other presentations")
	}
	if r.set == evaluation.SetTrain {
		return errors.New("--set: a model knows the presentations that it was trained on, and a threshold chosen on them means nothing; use a development set")
	}
	return nil
}

// developmentSet is the file with the development set's scores beside a file of the test set, empty without one.
func (o calibrateOptions) developmentSet() string {
	for _, path := range o.scores {
		base := filepath.Base(path)
		if evaluation.SetOfScores(base) != evaluation.SetEval {
			continue
		}
		dev := filepath.Join(filepath.Dir(path), base[:len(base)-len("eval.csv")]+"dev.csv")
		if _, err := os.Stat(dev); err == nil {
			return dev
		}
	}
	return ""
}

// judgedBy finds out what gave the scores: by report.json beside each file, or by --model. They must agree.
func (o calibrateOptions) judgedBy() (by judgedBy, err error) {
	if o.model != "" {
		if by, err = namedModel(o.model); err != nil {
			return by, usage(fmt.Errorf("--model: %w", err))
		}
	}
	for _, path := range o.scores {
		there, err := reportBeside(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && o.model != "":
			continue
		case errors.Is(err, fs.ErrNotExist):
			return by, usage(fmt.Errorf("%s: there is no report.json beside it, so it is not known which model gave these scores. Name it: --model %s", path, DefaultConfig().Scorer.Model))
		case err != nil:
			return by, usage(err)
		case by.Model.SHA256 != "" && by.Model.SHA256 != there.Model.SHA256:
			return by, usage(fmt.Errorf("%s: its scores are of the model %s (sha256 %.12s…), others of %s (sha256 %.12s…): a threshold holds for one model",
				path, there.Model.Name, there.Model.SHA256, by.Model.Name, by.Model.SHA256))
		}
		by = there
	}
	return by, nil
}

// namedModel is a model of the catalogue or a file.
func namedModel(name string) (by judgedBy, err error) {
	catalog, err := models.New(models.DefaultConfig(), configs.Models(), models.DefaultPlaces())
	if err != nil {
		return by, err
	}
	file, err := catalog.Resolve(name, "")
	by.Model.Name, by.Model.SHA256 = file.Name, file.SHA256
	return by, err
}

// reportBeside reads what report.json in the folder of the scores says of the run.
func reportBeside(scores string) (judgedBy, error) {
	path := filepath.Join(filepath.Dir(scores), "report.json")
	data, err := readSide(path)
	if err != nil {
		return judgedBy{}, err
	}
	var report struct {
		About judgedBy `json:"about"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return judgedBy{}, fmt.Errorf("%s: %w", path, err)
	}
	if report.About.Model.SHA256 == "" {
		return judgedBy{}, fmt.Errorf("%s: it does not say which model gave the scores; evaluate again", path)
	}
	return report.About, nil
}
