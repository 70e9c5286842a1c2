package liveproof

import "regexp"

// ThresholdSource says which rule chose the threshold of a session. Package calibration has the rule; the constants are
// in its order, the first that applies wins.
type ThresholdSource string

// The sources of a threshold.
const (
	// ThresholdOfRequest is a calibration that the session's creator asked for by name.
	ThresholdOfRequest ThresholdSource = "request"
	// ThresholdOfTenant is the calibration of the session's tenant.
	ThresholdOfTenant ThresholdSource = "tenant"
	// ThresholdOfConfiguration is that of the server: its calibration or verdict.threshold.
	ThresholdOfConfiguration ThresholdSource = "configuration"
	// ThresholdOfModel is that of the model's metadata.
	ThresholdOfModel ThresholdSource = "model"
)

// Threshold is θ on ρ as it judges a session, and where it is from. The zero value stands for a session that has none yet,
// or for a record of a version that did not keep it.
type Threshold struct {
	// Value is θ, in (0,1).
	Value  float64         `json:"value"`
	Source ThresholdSource `json:"source"`
	// Calibration is the name of the calibration file that θ is from, and CalibrationSHA256 the hash of that file, 64 hex
	// digits; both are empty without one.
	Calibration       string `json:"calibration,omitempty"`
	CalibrationSHA256 string `json:"calibration_sha256,omitempty"`
}

// Valid reports whether the threshold can have judged a session: a value in (0,1), a known source, and a calibration with its
// hash exactly where the source needs one.
func (t Threshold) Valid() bool {
	calibrated := word.MatchString(t.Calibration) && word.MatchString(t.CalibrationSHA256)
	bare := t.Calibration == "" && t.CalibrationSHA256 == ""
	switch t.Source {
	case ThresholdOfRequest, ThresholdOfTenant:
		return t.inRange() && calibrated
	case ThresholdOfConfiguration:
		return t.inRange() && (calibrated || bare)
	case ThresholdOfModel:
		return t.inRange() && bare
	}
	return false
}

var word = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func (t Threshold) inRange() bool { return t.Value > 0 && t.Value < 1 } // NaN is in no range
