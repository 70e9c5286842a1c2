package calibration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// Schema is the version of the file's form.
const Schema = 1

// Calibration is a threshold with the evidence for it.
type Calibration struct {
	Schema int `json:"schema"`
	// Name is for people, and stands in the record of every session that the calibration judges: 1 to 63 characters of a-z,
	// 0-9, - and _.
	Name string `json:"name"`
	// Threshold is θ on ρ, in (0,1): bona fide at a mean ρ of the video of θ or more.
	Threshold float64 `json:"threshold"`
	// Interval is where θ lies when whole subjects are drawn again.
	Interval Interval `json:"interval"`
	Rule     Rule     `json:"rule"`
	Expected Expected `json:"expected"`
	Model    Model    `json:"model"`
	Evidence Evidence `json:"evidence"`
	Made     Made     `json:"made"`

	// SHA256 is the hash of the file as it was read, 64 hex digits; empty for a calibration that was not read.
	SHA256 string `json:"-"`
}

// Interval holds a quantity with a probability of Confidence, in (0,1); Low ≤ High.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// RuleKind says which error rate chose the threshold.
type RuleKind string

// The rules, by the rates of ISO/IEC 30107-3.
const (
	RuleBPCER RuleKind = "bpcer" // the highest threshold whose BPCER is at most the limit
	RuleAPCER RuleKind = "apcer" // the lowest threshold whose APCER, that of the worst species, is at most the limit
	RuleEER   RuleKind = "eer"   // where BPCER and the APCER over all attacks are closest
)

// Rule is how the threshold was chosen.
type Rule struct {
	Kind RuleKind `json:"kind"`
	// AtMost is the limit of the rate, in (0,1); 0 for eer.
	AtMost float64 `json:"at_most,omitempty"`
}

// String is the rule as a command line has it, such as "bpcer 0.05".
func (r Rule) String() string {
	if r.Kind == RuleEER {
		return string(r.Kind)
	}
	return fmt.Sprintf("%s %v", r.Kind, r.AtMost)
}

// Expected are the error rates at the threshold on the scores that it was chosen on; nil where no such presentation was
// there. They are of single videos by their mean ρ, not of sessions.
type Expected struct {
	BPCER *Rate `json:"bpcer,omitempty"`
	// APCER is that of the worst attack instrument species.
	APCER *Rate `json:"apcer,omitempty"`
}

// Rate is an error rate as it was counted, with the interval that results from drawing whole subjects again.
type Rate struct {
	Errors   int      `json:"errors"`
	Of       int      `json:"of"`
	Interval Interval `json:"interval"`
	// Species is the attack instrument species that was counted; empty for bona fide.
	Species string `json:"species,omitempty"`
}

// Value is the rate, in [0,1].
func (r Rate) Value() float64 { return float64(r.Errors) / float64(r.Of) }

// Model is what gave the scores.
type Model struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Evidence says which presentations the threshold was chosen on, and what scored them.
type Evidence struct {
	// Scores are the files with the scores.
	Scores []Source `json:"scores"`
	// Set is the set of presentations that was used, such as dev; empty where the files name none.
	Set string `json:"set,omitempty"`
	// BonaFide, Attacks and Subjects are counts of what was used.
	BonaFide int `json:"bona_fide"`
	Attacks  int `json:"attacks"`
	Subjects int `json:"subjects"`
	// Species counts the attacks by their species.
	Species map[string]int `json:"species,omitempty"`
	// ConfigSHA256 is the hash of the configuration that judged, Detector the face detector, and Provider and Precision ran the
	// model; each is empty where it is not known.
	ConfigSHA256 string `json:"config_sha256,omitempty"`
	Detector     string `json:"detector,omitempty"`
	Provider     string `json:"provider,omitempty"`
	Precision    string `json:"precision,omitempty"`
}

// Source is a file by its name and hash.
type Source struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Made says when and by what the calibration was made.
type Made struct {
	At time.Time `json:"at"`
	// By is the program with its version.
	By string `json:"by"`
}

// ErrOtherModel says that a calibration was made for another model than the one that scores.
var ErrOtherModel = errors.New("calibration of another model")

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ValidName reports whether a calibration may have this name.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// Validate reports every value that a calibration must not have; each error begins with its key.
func (c Calibration) Validate() error {
	return errors.Join(
		check.That("schema", c.Schema == Schema, "%d; this version reads schema %d", c.Schema, Schema),
		check.That("name", ValidName(c.Name), "%q is not 1 to 63 characters of a-z, 0-9, - and _", c.Name),
		check.Between("threshold", c.Threshold, 0, 1),
		c.Interval.validate("interval"),
		c.Rule.validate(),
		c.Expected.BPCER.validate("expected.bpcer"), c.Expected.APCER.validate("expected.apcer"),
		check.That("model.name", strings.TrimSpace(c.Model.Name) != "", "is empty"),
		check.That("model.sha256", sha256Pattern.MatchString(c.Model.SHA256), "%q is not 64 hex digits", c.Model.SHA256),
		c.Evidence.validate(),
		check.That("made.at", !c.Made.At.IsZero(), "is missing"),
	)
}

func (i Interval) validate(key string) error {
	return errors.Join(
		check.In(key+".low", i.Low, 0, 1),
		check.In(key+".high", i.High, i.Low, 1),
		check.Between(key+".confidence", i.Confidence, 0, 1),
	)
}

func (r Rule) validate() error {
	if r.Kind == RuleEER {
		return check.That("rule.at_most", r.AtMost == 0, "%v: the rule eer has no limit", r.AtMost)
	}
	return errors.Join(
		check.OneOf("rule.kind", string(r.Kind), string(RuleBPCER), string(RuleAPCER), string(RuleEER)),
		check.Between("rule.at_most", r.AtMost, 0, 1),
	)
}

func (r *Rate) validate(key string) error {
	if r == nil {
		return nil
	}
	return errors.Join(
		check.AtLeast(key+".of", r.Of, 1),
		check.In(key+".errors", r.Errors, 0, max(r.Of, 0)),
		r.Interval.validate(key+".interval"),
	)
}

func (e Evidence) validate() error {
	errs := []error{
		check.That("evidence.scores", len(e.Scores) > 0, "names no file"),
		check.AtLeast("evidence.bona_fide", e.BonaFide, 0),
		check.AtLeast("evidence.attacks", e.Attacks, 0),
		check.AtLeast("evidence.subjects", e.Subjects, 1),
	}
	for i, s := range e.Scores {
		errs = append(errs, check.That(fmt.Sprintf("evidence.scores[%d].sha256", i), sha256Pattern.MatchString(s.SHA256), "%q is not 64 hex digits", s.SHA256))
	}
	return errors.Join(errs...)
}

// For is nil for the model that the calibration was made for, and wraps ErrOtherModel for every other one.
func (c Calibration) For(model liveproof.ModelInfo) error {
	if c.Model.SHA256 == model.SHA256 {
		return nil
	}
	return fmt.Errorf("%w: %s was made for %s (sha256 %.12s…), and the model here is %s (sha256 %.12s…): a threshold holds for the "+
		"scores of one model file. Evaluate and calibrate again with this model, or name the other one in scorer.model",
		ErrOtherModel, c.Name, c.Model.Name, c.Model.SHA256, model.Name, model.SHA256)
}

// parse reads a calibration strictly: no unknown member, no second value.
func parse(data []byte) (Calibration, error) {
	var c Calibration
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Calibration{}, fmt.Errorf("not a calibration: %w", err)
	}
	if err := d.Decode(new(json.RawMessage)); !errors.Is(err, io.EOF) {
		return Calibration{}, errors.New("not a calibration: more than one JSON value")
	}
	if err := c.Validate(); err != nil {
		return Calibration{}, err
	}
	return c, nil
}
