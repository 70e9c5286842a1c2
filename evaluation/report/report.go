package report

import "github.com/liveproof/liveproof/evaluation/metrics"

// Format names the form of report.json. Fields are added to it, never renamed.
const Format = "liveproof.evaluation/1"

// Level is the confidence of every two-sided interval.
const Level = 0.95

// Report is an evaluation's outcome: what report.json holds. The page shows nothing else, but for thumbnails.
//
// Rates are in [0,1], scores are ρ in [0,1], times are seconds of the stream.
// What cannot be given is absent, and a field Missing says why.
type Report struct {
	Format string `json:"format"`
	// Title, Protocol and Population are the plan's.
	Title      string `json:"title"`
	Protocol   string `json:"protocol,omitempty"`
	Population string `json:"population,omitempty"`
	// Summary is the outcome in one or two sentences.
	Summary  string    `json:"summary"`
	Warnings []Warning `json:"warnings"`
	About    About     `json:"about"`
	// Level is the confidence of all intervals, and Resamples how many bootstrap samples they rest on.
	Level     float64 `json:"interval_level"`
	Resamples int     `json:"bootstrap_resamples"`
	// Counts are of the presentations that are measured, each once whatever the number of folds.
	Counts Counts `json:"counts"`
	Folds  []Fold `json:"folds"`
	// OverFolds is the mean over the folds; empty where there is one.
	OverFolds []Spread `json:"over_folds,omitempty"`
	// Species and Instruments are the attacks of all folds together.
	Species     []AttackRow `json:"species"`
	Instruments []AttackRow `json:"instruments,omitempty"`
	Groupings   []Grouping  `json:"groupings,omitempty"`
	// Quality is error rates by how well the faces were seen; only where About.Refuses was given.
	Quality *Quality `json:"quality,omitempty"`
	// Verdicts are the videos' verdicts; still pictures have none.
	Verdicts *Verdicts `json:"verdicts,omitempty"`
	// NotAcquired lists the presentations of which no frame was scored, and Unfinished those that were not read to their end.
	NotAcquired []Failure `json:"not_acquired"`
	Unfinished  []Failure `json:"unfinished"`
	// WorstAttacks scored highest, WorstBonaFide lowest; the worst first.
	WorstAttacks  []Video `json:"worst_attacks"`
	WorstBonaFide []Video `json:"worst_bona_fide"`
	// Curves has the error rates at every threshold: of all attacks first, then of each species.
	Curves    []Curve    `json:"curves,omitempty"`
	Histogram *Histogram `json:"histogram,omitempty"`
	Published *Published `json:"published,omitempty"`
	Rehearsal *Rehearsal `json:"rehearsal,omitempty"`
	// Missing says why a part is absent, by the part's name.
	Missing map[string]string `json:"missing,omitempty"`

	thumbnails map[string][]byte // by the name of the presentation
}

// Warning is something that a reader must know before the figures.
type Warning struct {
	// Code is stable, such as demo_model.
	Code string `json:"code"`
	Text string `json:"text"`
}

// Counts are numbers of presentations.
type Counts struct {
	BonaFide int `json:"bona_fide"`
	Attacks  int `json:"attacks"`
	Subjects int `json:"subjects"`
	// BonaFideSubjects are those who are shown without an attack, at least once.
	BonaFideSubjects int `json:"bona_fide_subjects"`
	Stills           int `json:"stills"`
	// NotAcquired had no scored frame: their score is 0 by rule.
	NotAcquired int `json:"not_acquired"`
}

// All is the number of presentations.
func (c Counts) All() int { return c.BonaFide + c.Attacks }

// Rate is a share of counted presentations, with its exact interval (Clopper and Pearson 1934).
type Rate struct {
	metrics.Proportion
	Value float64 `json:"rate"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Estimate is a figure with a bootstrap interval over whole subjects. Low and High are
// absent with too few subjects, and where all resamples gave the same.
type Estimate struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

// Fold is one sub-protocol.
type Fold struct {
	Name string `json:"name,omitempty"`
	Dev  Counts `json:"dev"`
	Eval Counts `json:"eval"`
	// AUC is the area under the ROC curve, and EER the rate where APCER over all attacks and BPCER are closest.
	AUC *Estimate `json:"auc,omitempty"`
	EER *Estimate `json:"eer,omitempty"`
	// TPRAtFPR are points without interpolation.
	TPRAtFPR []Operating `json:"tpr_at_fpr,omitempty"`
	// PublishedRules are HTERs at the equal-error points of other published code, all chosen on the measured presentations.
	PublishedRules []RuleHTER `json:"published_rules,omitempty"`
	// At has the three thresholds, always all, in the order model, realistic, idealised.
	At      []At              `json:"at"`
	Missing map[string]string `json:"missing,omitempty"`
}

// Operating is a point on the ROC curve.
type Operating struct {
	// Limit is the greatest FPR that was asked for.
	Limit     float64 `json:"fpr_limit"`
	Threshold float64 `json:"threshold"`
	// FPR is the share of all attacks that are accepted, and TPR that of bona fide.
	FPR Rate `json:"fpr"`
	TPR Rate `json:"tpr"`
}

// RuleHTER is the HTER at another rule's equal-error point.
type RuleHTER struct {
	Rule string  `json:"rule"`
	HTER float64 `json:"hter"`
}

// Rule says on what a threshold was chosen.
type Rule string

// The rules.
const (
	RuleModel     Rule = "model"     // the model carries it
	RuleRealistic Rule = "realistic" // equal-error point of the development set
	RuleIdealised Rule = "idealised" // equal-error point of the measured presentations themselves
)

// At are the rates at one threshold. A score at the threshold or above it is accepted.
type At struct {
	Rule Rule `json:"rule"`
	// Threshold is the next number above 1 where nothing is accepted.
	Threshold *float64 `json:"threshold,omitempty"`
	// HTER is (APCERPooled + BPCER) / 2, and ACER is (APCER + BPCER) / 2.
	HTER *Estimate `json:"hter,omitempty"`
	ACER *Estimate `json:"acer,omitempty"`
	// APCER is of the worst species, and APCERPooled of all attacks.
	APCER           *Named   `json:"apcer,omitempty"`
	APCERInstrument *Named   `json:"apcer_instrument,omitempty"`
	APCERPooled     *Rate    `json:"apcer_pooled,omitempty"`
	BPCER           *Rate    `json:"bpcer,omitempty"`
	ACERInstrument  *float64 `json:"acer_instrument,omitempty"`
	ACERPooled      *float64 `json:"acer_pooled,omitempty"`
	Species         []Named  `json:"species,omitempty"`
	Instruments     []Named  `json:"instruments,omitempty"`
	// Missing says why rates are absent.
	Missing string `json:"missing,omitempty"`
}

// Named is the rate of a species, an instrument or a group.
type Named struct {
	Name string `json:"name"`
	Rate
}

// Spread is the mean and the standard deviation of a figure over folds.
type Spread struct {
	Rule   Rule   `json:"rule,omitempty"` // empty where the figure has no threshold
	Figure string `json:"figure"`         // auc, eer, hter, apcer, bpcer, acer, apcer_pooled, acer_pooled
	N      int    `json:"n"`              // folds that have it
	// Std0 divides by n and Std1 by n - 1; the literature does not say which it prints. Std1 is 0 for one value.
	Mean float64 `json:"mean"`
	Std0 float64 `json:"std0"`
	Std1 float64 `json:"std1"`
}

// AttackRow is what is known of a species or an instrument.
type AttackRow struct {
	Name string `json:"name"`
	// Species of an instrument; of a species its name again.
	Species     string `json:"species"`
	Attacks     int    `json:"attacks"`
	Subjects    int    `json:"subjects"`
	NotAcquired int    `json:"not_acquired"`
	// AUC against all bona fide.
	AUC *Estimate `json:"auc,omitempty"`
	// APCER by rule. With several folds only the model's, because the others differ from fold to fold.
	APCER map[Rule]Rate `json:"apcer"`
}

// Grouping is the presentations of each value of a column.
type Grouping struct {
	By     string  `json:"by"`
	Groups []Group `json:"groups"`
}

// Group is the presentations with one value.
type Group struct {
	Value  string    `json:"value"` // empty where the column is
	Counts Counts    `json:"counts"`
	AUC    *Estimate `json:"auc,omitempty"`
	EER    *float64  `json:"eer,omitempty"`
	// At is by rule, as in AttackRow.
	At map[Rule]GroupRates `json:"at"`
}

// GroupRates are a group's rates at one threshold; absent without presentations of the class.
type GroupRates struct {
	// APCERPooled is over all attacks of the group, and APCER of its worst species.
	APCERPooled *Rate    `json:"apcer_pooled,omitempty"`
	APCER       *Named   `json:"apcer,omitempty"`
	BPCER       *Rate    `json:"bpcer,omitempty"`
	HTER        *float64 `json:"hter,omitempty"`
}

// Failure is a presentation that gave no score, or that was not read to its end.
type Failure struct {
	Name       string `json:"name"`
	AttackType string `json:"attack_type"`
	// Reason is the commonest reason why samples were not scored; Samples is how many were taken.
	Reason  string `json:"reason,omitempty"`
	Samples int64  `json:"samples"`
	// Error is why the file could not be read or judged.
	Error string `json:"error,omitempty"`
}

// Video is a presentation with its timeline.
type Video struct {
	Name       string   `json:"name"`
	Subject    string   `json:"subject"`
	AttackType string   `json:"attack_type"`
	Instrument string   `json:"instrument,omitempty"`
	Still      bool     `json:"still,omitempty"`
	Score      float64  `json:"score"`
	Verdict    string   `json:"verdict,omitempty"`
	Reasons    []string `json:"reasons,omitempty"`
	// DecidedAt is when the verdict came; 0 without live or spoof.
	DecidedAt float64  `json:"decided_at,omitempty"`
	Timeline  []Moment `json:"timeline,omitempty"`
}

// Moment is a sample of a timeline; Rho is absent where the sample was not scored.
type Moment struct {
	T      float64  `json:"t"`
	Rho    *float64 `json:"rho,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// Curve is error rates by rising threshold: APCER of the named attacks falls and BPCER rises.
type Curve struct {
	Name    string `json:"name"` // "all", or a species
	Attacks int    `json:"attacks"`
	// BonaFide is the number of bona fide presentations, the same in all curves.
	BonaFide int          `json:"bona_fide"`
	AUC      float64      `json:"auc"`
	Points   []CurvePoint `json:"points"`
}

// CurvePoint is a threshold's error rates. Of curves with very many points some are left out.
type CurvePoint struct {
	Threshold float64 `json:"threshold"`
	APCER     float64 `json:"apcer"`
	BPCER     float64 `json:"bpcer"`
}

// Histogram counts scores in bins of equal width over [0,1]; a score of 1 is in the last.
type Histogram struct {
	Bins  int            `json:"bins"`
	Rows  []HistogramRow `json:"rows"`
	Lines []Line         `json:"thresholds"`
}

// HistogramRow is the bona fide or a species.
type HistogramRow struct {
	Name     string `json:"name"`
	BonaFide bool   `json:"bona_fide,omitempty"`
	Counts   []int  `json:"counts"`
}

// Line is a threshold that is drawn.
type Line struct {
	Rule Rule `json:"rule"`
	// Fold is the fold whose threshold it is; empty where it holds for all.
	Fold      string  `json:"fold,omitempty"`
	Threshold float64 `json:"threshold"`
}
