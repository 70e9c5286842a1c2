package liveproof

// Quality says how well a face is seen; the units are fixed so that thresholds can be configured. Luma is that of BT.601
// in full range, levels 0 to 255. The crop is the scorer's input, 224×224 pixels, and the middle is the part of it
// that shows nothing but the face: half of its width, from the brows to the chin.
type Quality struct {
	Size     float64 `json:"size"`     // max(width, height) of the box, pixels
	Outside  float64 `json:"outside"`  // share of the box outside the picture, [0,1]
	Blur     float64 `json:"blur"`     // variance of the Laplacian on the crop's luma; higher is sharper
	Streak   float64 `json:"streak"`   // log2 of the crop's squared differences down its columns over those along its rows, [-8,8]; away from 0 where motion wipes out one direction
	Exposure float64 `json:"exposure"` // mean luma of the crop, levels
	Contrast float64 `json:"contrast"` // standard deviation of the crop's luma, levels
	Clipped  float64 `json:"clipped"`  // share of crop pixels at luma ≥ 250, [0,1]
	// Black is the 5 % quantile of the middle's luma, in levels: haze, glare on the lens and fog raise it.
	Black float64 `json:"black"`
	// Range is the 95 % quantile of the middle's luma less Black, in levels: haze and flat light shrink it.
	Range float64 `json:"range"`
	// Backlight is the mean luma of the picture around the face less that of the middle, levels in [-255,255]; 0 where too little
	// of the picture lies around the face.
	Backlight float64 `json:"backlight"`
	Yaw       float64 `json:"yaw"`   // from landmarks, [-1,1]: 0 frontal, ±1 profile; 0 without landmarks
	Pitch     float64 `json:"pitch"` // from landmarks, [-1,1], positive downwards; 0 without landmarks
	// Confidence is the detector's, [0,1]: faces that are covered or turned away have less.
	Confidence float64 `json:"confidence"`
	// Quantiser is the mean quantiser step around the face (Coding), times the factor by which the scorer's input enlarges
	// the face; 0 when it is not known.
	Quantiser float64 `json:"quantiser"`
	// Bits is Coding.Bits for each pixel of the scorer's input; 0 when it is not known.
	Bits float64 `json:"bits"`
	// Weight in [0,1]: how much the sample counts; 0 when Reasons forbid scoring.
	Weight float64 `json:"weight"`
	// Reasons why this face must not be scored; empty when it may.
	Reasons []Reason `json:"reasons,omitempty"`
}

// QualityMeasure is one figure of Quality, for tables over measured faces.
type QualityMeasure struct {
	Name string // as in Quality's JSON, or made of several of its figures
	Unit string
	Of   func(Quality) float64
}

// QualityMeasures returns the figures by which error rates are told apart.
func QualityMeasures() []QualityMeasure {
	return []QualityMeasure{
		{"size", "pixels", func(q Quality) float64 { return q.Size }},
		{"blur", "variance of the Laplacian", func(q Quality) float64 { return q.Blur }},
		{"sharpness", "blur / contrast²", func(q Quality) float64 { return q.Blur / max(1, q.Contrast*q.Contrast) }},
		{"streak", "log2", func(q Quality) float64 { return q.Streak }},
		{"exposure", "levels", func(q Quality) float64 { return q.Exposure }},
		{"contrast", "levels", func(q Quality) float64 { return q.Contrast }},
		{"clipped", "share", func(q Quality) float64 { return q.Clipped }},
		{"black", "levels", func(q Quality) float64 { return q.Black }},
		{"range", "levels", func(q Quality) float64 { return q.Range }},
		{"backlight", "levels", func(q Quality) float64 { return q.Backlight }},
		{"yaw", "0 frontal, 1 profile", func(q Quality) float64 { return max(q.Yaw, -q.Yaw) }},
		{"pitch", "0 level, 1 down", func(q Quality) float64 { return q.Pitch }},
		{"confidence", "share", func(q Quality) float64 { return q.Confidence }},
		{"quantiser", "levels", func(q Quality) float64 { return q.Quantiser }},
	}
}
