package evaluation

// Presentation is one video or still picture, with its ground truth.
type Presentation struct {
	// Name is unique in a plan: "dataset/video" for benchmarks, the filename column for a person's own files.
	Name string `json:"name"`
	// Path is the file.
	Path string `json:"path"`
	// Subject is who is shown. Intervals resample whole subjects, because the videos of one person are alike.
	Subject string `json:"subject"`
	// AttackType is the presentation attack instrument species, such as print; empty for bona fide.
	AttackType string `json:"attack_type"`
	// Instrument is the very instrument within the species, such as printer 1; empty where it is not known.
	Instrument string `json:"instrument,omitempty"`
	// Meta are further columns by name, such as camera, by which a report can be grouped.
	Meta map[string]string `json:"meta,omitempty"`
	// Turned is by how many degrees the pixels are stored turned although no tag says so (benchmark.Video.Turned).
	Turned int `json:"turned,omitempty"`
}

// BonaFide reports whether a live person is shown, without an attack.
func (p Presentation) BonaFide() bool { return p.AttackType == "" }

// Plan is what an evaluation judges.
type Plan struct {
	// Title is for people, such as "O&C&I to M".
	Title string `json:"title"`
	// Protocol is the benchmark protocol's name and Population its set of videos; both are empty for a person's own files.
	Protocol   string `json:"protocol,omitempty"`
	Population string `json:"population,omitempty"`
	// Warnings are for people who read the figures, such as videos of the protocol that are missing.
	Warnings []string `json:"warnings,omitempty"`
	// Presentations are judged once each, whatever the number of folds that use them.
	Presentations []Presentation `json:"-"`
	// Folds are the sub-protocols; one without a name where there is only one.
	Folds []Fold `json:"-"`
}

// Fold says which presentations choose the threshold and which are measured. The strings are names of presentations.
type Fold struct {
	Name string
	// Dev is the development set; empty where there is none. Then the threshold is the model's own.
	Dev []string
	// Eval is the set that is measured: a benchmark's test list.
	Eval []string
}
