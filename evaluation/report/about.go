package report

import (
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
)

// About is what is known of a run beside its results. The zero value of every field is allowed; the report then says nothing of it.
type About struct {
	// Command is the command line, a word an element.
	Command []string `json:"command,omitempty"`
	// Version is the program's.
	Version string `json:"version,omitempty"`
	// Time is when the run began.
	Time time.Time `json:"time,omitzero"`
	// Host is the machine.
	Host Host `json:"host,omitzero"`
	// Model scored the presentations; its Threshold is "the model's own" of the tables.
	Model liveproof.ModelInfo `json:"model"`
	// ThresholdFrom says in words how the model's threshold was chosen, such as "the equal-error point of the rendered dev set".
	ThresholdFrom string `json:"threshold_from,omitempty"`
	// Detector found the faces.
	Detector string `json:"detector,omitempty"`
	// ConfigSHA256 is the hash of the configuration's content, as hex.
	ConfigSHA256 string `json:"config_sha256,omitempty"`
	// Via is the path on which the presentations reached the judge.
	Via evaluation.Via `json:"via,omitempty"`
	// By are the columns by which the report is grouped: "attack_type", "instrument", "subject", or a name in Presentation.Meta.
	By []string `json:"by,omitempty"`
	// Cluster is the column whose values bootstrap intervals draw as wholes, as for By; empty: the subject.
	Cluster string `json:"cluster,omitempty"`
	// Rehearsal adds the section that is ordered as a laboratory's report by ISO/IEC 30107-3 is.
	Rehearsal bool `json:"rehearsal,omitempty"`
	// Pictures shows a thumbnail of each of the worst videos. Without it the page holds no picture of a person.
	Pictures bool `json:"pictures,omitempty"`
	// Thumbnail gives the picture of a presentation, as JPEG or PNG; it is asked only with Pictures, and only for the worst videos.
	// An error or nil leaves the picture out.
	Thumbnail func(evaluation.Result) ([]byte, error) `json:"-"`
	// Refuses are the limits of quality whose cost and use the report tells: the reasons why a session would not score a face. nil leaves
	// Report.Quality out. The presentations should have been judged without limits; what was not scored is not counted.
	Refuses func(liveproof.Quality) []liveproof.Reason `json:"-"`
}

// Host are facts about the machine that judged.
type Host struct {
	OS     string `json:"os,omitempty"`  // such as linux/amd64
	CPU    string `json:"cpu,omitempty"` // its name
	Cores  int    `json:"cores,omitempty"`
	Memory int64  `json:"memory_bytes,omitempty"`
}
