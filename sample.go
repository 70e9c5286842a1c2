package liveproof

import (
	"encoding/json"
	"time"
)

// Sample is one sampled frame and its result: either scored (Scored is true,
// Rho and Weight count) or not, with the reason why. Samples in order are the
// session's timeline, from which the verdict can be recomputed.
type Sample struct {
	// Seq counts sampled frames of a session from 1.
	Seq int64
	// T is the frame's time in the stream from the first picture, ≥ 0. It never falls from one sample to the next. In live sessions it
	// leaves out jumps of the sender's timestamps, and the time by which the stream runs ahead of the server's clock.
	T time.Duration
	// Scored reports whether Rho holds a score.
	Scored bool
	// Rho is the expected liveness score in [0,1].
	Rho float64
	// Weight in (0,1] from face size, blur and exposure.
	Weight float64
	// Track is the identity of the followed face, from 1; 0 without a face.
	// A change means that the evidence restarts.
	Track int
	// Quantiser is Quality.Quantiser: how coarsely the face was encoded; 0 when it is not known.
	Quantiser float64
	// Evidence is what is complete with this sample (Finding.Given).
	Evidence []Evidence
	// Signals are what the examiners of evidence measured (Finding.Signals).
	Signals map[string]float64
	// Reasons say why a sample was not scored, or what lowers its trust.
	Reasons []Reason
}

// SignalUnsettled is the signal of a sample of which it was not known, when it was judged, whether the person is still the same: the answer was
// awaited (Finding.Later), or was not sure (Finding.Unsettled).
const SignalUnsettled = "identity.unsettled"

// Unsettled reports whether no decision may rest on the sample.
func (s Sample) Unsettled() bool { return s.Signals[SignalUnsettled] != 0 }

// sampleJSON is the form of a sample in the store and in the API, with its time in seconds.
type sampleJSON struct {
	Seq      int64              `json:"seq"`
	T        float64            `json:"t"`
	Scored   bool               `json:"scored"`
	Rho      float64            `json:"rho"`
	Weight   float64            `json:"weight"`
	Track    int                `json:"track"`
	Quant    float64            `json:"quantiser,omitempty"`
	Evidence []Evidence         `json:"evidence,omitempty"`
	Signals  map[string]float64 `json:"signals,omitempty"`
	Reasons  []Reason           `json:"reasons"`
}

// MarshalJSON implements json.Marshaler. A ρ that JSON cannot carry is an error.
func (s Sample) MarshalJSON() ([]byte, error) {
	return json.Marshal(sampleJSON{s.Seq, s.T.Seconds(), s.Scored, s.Rho, s.Weight, s.Track, s.Quantiser, s.Evidence, s.Signals, listed(s.Reasons)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Sample) UnmarshalJSON(b []byte) error {
	var j sampleJSON
	err := json.Unmarshal(b, &j)
	if len(j.Reasons) == 0 {
		j.Reasons = nil // as the pipeline makes it
	}
	*s = Sample{j.Seq, fromSeconds(j.T), j.Scored, j.Rho, j.Weight, j.Track, j.Quant, j.Evidence, j.Signals, j.Reasons}
	return err
}
