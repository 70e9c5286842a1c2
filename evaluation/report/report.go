package report

import (
	"errors"
	"io"

	"github.com/liveproof/liveproof/evaluation"
)

// ErrResults is why Build refuses results: they are not the plan's, each once and with scores in [0,1].
var ErrResults = errors.New("results do not match the plan")

// Report is an evaluation's outcome. It is what report.json holds; fields are added, never renamed.
type Report struct {
	About About `json:"about"`
}

// Build computes the report of one result for each presentation of the plan, in any order.
func Build(plan evaluation.Plan, results []evaluation.Result, about About) (*Report, error) {
	return &Report{About: about}, nil
}

// Write writes report.json and report.html into the folder, which is made where it is missing.
func (r *Report) Write(dir string) error { return errors.ErrUnsupported }

// Text writes the most important figures for a terminal.
func (r *Report) Text(w io.Writer) error { return errors.ErrUnsupported }
