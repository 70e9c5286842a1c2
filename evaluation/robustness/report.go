package robustness

import (
	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// Report is what a sweep found.
type Report struct {
	Title     string              `json:"title"`
	Model     liveproof.ModelInfo `json:"model"`
	Detector  string              `json:"detector"`
	Threshold float64             `json:"threshold"` // the model's
	Mode      liveproof.Mode      `json:"mode"`
	BonaFide  int                 `json:"bona_fide"` // files
	Attacks   int                 `json:"attacks"`
	// Original is the direct run of the files.
	Original Outcome `json:"original"`
	// Encodings hold the rest, in the order of the sweep.
	Encodings []EncodingReport `json:"encodings"`
}

// Outcome is what one path made of the files.
type Outcome struct {
	// HTER is the half total error rate at the model's threshold; nil where a class has no file.
	HTER *float64 `json:"hter"`
	// BonaFide and Attacks count the verdicts.
	BonaFide metrics.Decisions `json:"bona_fide"`
	Attacks  metrics.Decisions `json:"attacks"`
	// Inconclusive is the share of files without live or spoof, in [0,1].
	Inconclusive float64 `json:"inconclusive"`
	// NotScored counts files without a scored sample, and Failed those that could not be judged.
	NotScored int `json:"not_scored"`
	Failed    int `json:"failed"`
	// Overloaded counts samples that were not scored because the machine had no CPU time for them. They are not the network's
	// fault: with many of them a run says little.
	Overloaded int64 `json:"overloaded"`
}

// EncodingReport is what one encoding changes, and what WebRTC changes of its clips.
type EncodingReport struct {
	Encoding
	Reencoded Outcome `json:"reencoded"`
	// Encoder is the step from the original files to the clips, both read directly.
	Encoder Change  `json:"encoder"`
	WebRTC  []Sweep `json:"webrtc"` // by loss
}

// Sweep is what one network changes.
type Sweep struct {
	Loss    float64 `json:"loss"`
	Outcome Outcome `json:"outcome"`
	// FromOriginal is the step from the original files, read directly, to the sessions.
	FromOriginal Change `json:"from_original"`
	// FromReencoded is the step from the clips, read directly, to the sessions: transport and network alone.
	FromReencoded Change `json:"from_reencoded"`
}

// Runs are the results of a sweep.
type Runs struct {
	Original  []evaluation.Result
	Reencoded map[Encoding][]evaluation.Result
	WebRTC    map[Cell][]evaluation.Result
}

// Build computes the report of runs. Encodings and losses are in the order of the tables.
func Build(runs Runs, encodings []Encoding, losses []float64, threshold float64) Report {
	r := Report{Threshold: threshold, Original: outcome(runs.Original, threshold)}
	for _, result := range runs.Original {
		if result.BonaFide() {
			r.BonaFide++
		} else {
			r.Attacks++
		}
	}
	if len(runs.Original) > 0 {
		r.Model, r.Detector = runs.Original[0].Model, runs.Original[0].Detector
	}
	for _, e := range encodings {
		reencoded := runs.Reencoded[e]
		report := EncodingReport{Encoding: e, Reencoded: outcome(reencoded, threshold), Encoder: Compare(runs.Original, reencoded)}
		for _, loss := range losses {
			sent := runs.WebRTC[Cell{e, loss}]
			report.WebRTC = append(report.WebRTC, Sweep{
				Loss: loss, Outcome: outcome(sent, threshold), FromOriginal: Compare(runs.Original, sent), FromReencoded: Compare(reencoded, sent),
			})
		}
		r.Encodings = append(r.Encodings, report)
	}
	return r
}

func outcome(results []evaluation.Result, threshold float64) (o Outcome) {
	var scores [2][]float64
	var verdicts [2][]liveproof.Outcome
	for _, r := range results {
		class := 0
		if !r.BonaFide() {
			class = 1
		}
		scores[class], verdicts[class] = append(scores[class], r.Score), append(verdicts[class], r.Verdict)
		if !r.Acquired {
			o.NotScored++
		}
		if r.Error != "" {
			o.Failed++
		}
		o.Overloaded += r.Unscored[liveproof.ReasonOverload]
	}
	if set, err := metrics.New(scores[0], scores[1]); err == nil { // else a class has no file
		hter := set.At(threshold).HTER()
		o.HTER = &hter
	}
	o.BonaFide, _ = metrics.Decide(verdicts[0]) // no file gives no decisions
	o.Attacks, _ = metrics.Decide(verdicts[1])
	o.Inconclusive = float64(o.BonaFide.None+o.Attacks.None) / float64(max(1, len(results)))
	return o
}
