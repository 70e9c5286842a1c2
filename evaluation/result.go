package evaluation

import "github.com/liveproof/liveproof"

// Via is the path on which a presentation reaches the judge.
type Via string

// The paths.
const (
	ViaDirect Via = "direct" // the file is decoded by the pipeline itself: no frame is lost, and the time is the file's
	ViaWebRTC Via = "webrtc" // the file is encoded and published to a server in real time
)

// Result is what the pipeline made of one presentation.
type Result struct {
	Presentation
	// Still reports that the file is a single picture. It has a score and no verdict.
	Still bool `json:"still,omitempty"`
	// Acquired reports that at least one frame was scored. Without one the score is 0 by rule: the presentation
	// counts as rejected, so that no denominator changes.
	Acquired bool `json:"acquired"`
	// Score is the mean of ρ over all scored frames, each with equal weight, in [0,1]: the literature's video score.
	Score float64 `json:"score"`
	// Smoothed is the session's own score, on which its verdict rests, in [0,1].
	Smoothed float64 `json:"smoothed"`
	// Verdict is the session's; empty for a still picture.
	Verdict liveproof.Outcome  `json:"verdict,omitempty"`
	Reasons []liveproof.Reason `json:"reasons,omitempty"`
	// DecidedAt is the time from the first picture to the verdict, in seconds of the stream; 0 without live or spoof.
	DecidedAt float64               `json:"decided_at,omitempty"`
	Frames    liveproof.FrameCounts `json:"frames"`
	// Unscored counts samples that were not scored by their first reason.
	Unscored map[liveproof.Reason]int64 `json:"unscored,omitempty"`
	// Samples are the timeline.
	Samples []liveproof.Sample `json:"samples,omitempty"`
	// Qualities say how well the face of each of Samples was seen, whether it was scored or not; zero where none was measured. There
	// are none over WebRTC, and of results of older versions.
	Qualities []liveproof.Quality `json:"qualities,omitempty"`
	// Error says why the file could not be read or judged to its end; empty if it was.
	Error string `json:"error,omitempty"`
	// Model and Detector judged the presentation.
	Model    liveproof.ModelInfo `json:"model"`
	Detector string              `json:"detector"`
}

// MeanRho is the mean of ρ over the scored samples, each with equal weight, in [0,1]; false where none was scored.
func MeanRho(samples []liveproof.Sample) (mean float64, scored bool) {
	n := 0
	for _, s := range samples {
		if s.Scored {
			n++
			mean += (s.Rho - mean) / float64(n)
		}
	}
	return mean, n > 0
}
