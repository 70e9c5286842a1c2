package liveproof

// What an integrator is told of what judged a session, in signed results and in webhooks: never ρ or θ.

// JudgingModel names the model that scored a session.
type JudgingModel struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	// Demo: trained on rendered attacks, not on licensed benchmark data. Such a result proves nothing.
	Demo bool `json:"demo"`
}

// JudgingThreshold names where the threshold came from.
type JudgingThreshold struct {
	Source            ThresholdSource `json:"source"`
	Calibration       string          `json:"calibration,omitempty"`
	CalibrationSHA256 string          `json:"calibration_sha256,omitempty"`
}

// JudgedBy tells what judged the session; both are nil where no picture came.
func (s Session) JudgedBy() (*JudgingModel, *JudgingThreshold) {
	var m *JudgingModel
	if s.Model.Name != "" {
		m = &JudgingModel{s.Model.Name, s.Model.SHA256, s.Model.Demo}
	}
	var t *JudgingThreshold
	if s.Threshold != (Threshold{}) {
		t = &JudgingThreshold{s.Threshold.Source, s.Threshold.Calibration, s.Threshold.CalibrationSHA256}
	}
	return m, t
}
