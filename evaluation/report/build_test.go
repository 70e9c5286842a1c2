package report

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
)

// byHand makes a plan of one fold, of still pictures with these scores.
type byHand struct {
	plan    evaluation.Plan
	results []evaluation.Result
}

func (h *byHand) add(species string, scores ...float64) (names []string) {
	for _, s := range scores {
		n := len(h.results)
		r := evaluation.Result{
			Presentation: evaluation.Presentation{Name: fmt.Sprintf("%04d", n), Subject: fmt.Sprint(n % 30), AttackType: species},
			Still:        true, Acquired: true, Score: s, Smoothed: s,
		}
		h.plan.Presentations, h.results = append(h.plan.Presentations, r.Presentation), append(h.results, r)
		names = append(names, r.Name)
	}
	return names
}

func (h *byHand) build(t *testing.T, about About) *Report {
	t.Helper()
	if h.plan.Folds == nil {
		fold := evaluation.Fold{}
		for _, p := range h.plan.Presentations {
			fold.Eval = append(fold.Eval, p.Name)
		}
		h.plan.Folds = []evaluation.Fold{fold}
	}
	r, err := Build(h.plan, h.results, about)
	require.NoError(t, err)
	return r
}

// some are n scores, of which the first few lie on the wrong side of 0.5.
func some(n, wrong int, right float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = right
		if i < wrong {
			list[i] = 1 - right
		}
	}
	return list
}

func modelAt(threshold float64) About {
	return About{Model: liveproof.ModelInfo{Name: "m", SHA256: "ab", Threshold: threshold}}
}

// TestOfPaper has the cases of the benchmarks' specification, worked by hand.
func TestOfPaper(t *testing.T) {
	t.Run("equal error", func(t *testing.T) {
		var h byHand
		h.add("", 0.9, 0.8, 0.7, 0.4)
		h.add("print", 0.1, 0.2, 0.3, 0.6)
		f := h.build(t, About{}).Folds[0]
		require.Equal(t, 0.9375, f.AUC.Value)
		require.Equal(t, 0.25, f.EER.Value)
		a := f.at(RuleIdealised)
		require.Equal(t, 0.6, *a.Threshold)
		require.Equal(t, 0.25, a.HTER.Value)
		require.Equal(t, "the model carries no threshold", f.at(RuleModel).Missing)
		require.Equal(t, "there is no development set", f.at(RuleRealistic).Missing)
	})
	t.Run("HTER", func(t *testing.T) {
		var h byHand
		h.add("", some(40, 2, 0.9)...)
		h.add("replay", some(120, 7, 0.1)...)
		a := h.build(t, modelAt(0.5)).Folds[0].at(RuleModel)
		require.InDelta(t, 0.0541667, a.HTER.Value, 1e-7)
	})
	t.Run("OULU-NPU protocol 1", func(t *testing.T) {
		var h byHand
		h.add("", some(120, 3, 0.9)...)
		h.add("print", some(240, 6, 0.1)...)
		h.add("replay", some(240, 0, 0.1)...)
		r := h.build(t, modelAt(0.5))
		a := r.Folds[0].at(RuleModel)
		require.Equal(t, 0.025, a.BPCER.Value)
		require.Equal(t, 0.025, a.APCER.Value)
		require.Equal(t, "print", a.APCER.Name)
		require.Equal(t, 0.025, a.ACER.Value)
		require.Equal(t, 0.0125, a.APCERPooled.Value)
		require.InDelta(t, 0.01875, *a.ACERPooled, 1e-15)
		require.InDelta(t, 0.0713, a.BPCER.High, 0.0001, "Clopper–Pearson of 3 in 120")
		require.Equal(t, "At the model’s threshold, 6 of 480 attacks were accepted (1.2 %, 95 % interval 0.46–2.7 %), "+
			"at worst 6 of 240 of the species print (APCER 2.5 %), and 3 of 120 bona fide were rejected (BPCER 2.5 %, 0.52–7.1 %).", r.Summary)
	})
	t.Run("equal scores", func(t *testing.T) {
		var h byHand
		h.add("", 0.5, 0.5)
		h.add("print", 0.5, 0.5)
		f := h.build(t, About{}).Folds[0]
		require.Equal(t, 0.5, f.AUC.Value)
		require.Equal(t, 0.5, f.at(RuleIdealised).HTER.Value)
	})
	t.Run("no error", func(t *testing.T) {
		var h byHand
		h.add("", 0.8, 0.9)
		h.add("print", 0.1, 0.2)
		f := h.build(t, About{}).Folds[0]
		require.Equal(t, 1.0, f.AUC.Value)
		require.Zero(t, f.at(RuleIdealised).HTER.Value)
	})
}

func TestRealisticThresholdComesFromTheDevelopmentSet(t *testing.T) {
	var h byHand
	dev := append(h.add("", 0.7, 0.8), h.add("print", 0.1, 0.2)...)
	eval := append(h.add("", 0.6, 0.9), h.add("print", 0.1, 0.3)...)
	h.plan.Folds = []evaluation.Fold{{Dev: dev, Eval: eval}}
	f := h.build(t, modelAt(0.5)).Folds[0]
	require.Equal(t, 0.7, *f.at(RuleRealistic).Threshold)
	require.Equal(t, 0.5, f.at(RuleRealistic).BPCER.Value)
	require.Equal(t, 0.6, *f.at(RuleIdealised).Threshold)
	require.Zero(t, f.at(RuleIdealised).BPCER.Value)
	require.Equal(t, 4, f.Eval.All(), "the development set is not measured")
}

func TestFolds(t *testing.T) {
	var h byHand
	dev := append(h.add("", 0.8, 0.9), h.add("print", 0.1, 0.2)...)
	for k, wrong := range []int{0, 1, 2} {
		eval := append(h.add("", some(10, wrong, 0.85)...), h.add("print", some(10, 0, 0.15)...)...)
		h.plan.Folds = append(h.plan.Folds, evaluation.Fold{Name: fmt.Sprint("oulu-3.", k+1), Dev: dev, Eval: eval})
	}
	h.plan.Protocol = "oulu-3"
	r := h.build(t, modelAt(0.5))
	require.Len(t, r.Folds, 3)
	s := r.over(RuleRealistic, "bpcer")
	require.Equal(t, 3, s.N)
	require.InDelta(t, 0.1, s.Mean, 1e-15)
	require.InDelta(t, math.Sqrt(2.0/3)/10, s.Std0, 1e-15)
	require.InDelta(t, 0.1, s.Std1, 1e-15)
	require.Equal(t, 60, r.Counts.All(), "every presentation of all folds")
	require.Equal(t, "OULU-NPU protocol 3", r.Published.Protocol)
	require.NotContains(t, r.Species[0].APCER, RuleRealistic, "it differs from fold to fold")
	require.Contains(t, r.Species[0].APCER, RuleModel)
	shows(t, page(t, r), "Mean over 3 folds")
}

func TestSingleClass(t *testing.T) {
	for _, c := range []struct{ species, has, lacks string }{
		{"", "BPCER", "no attack was measured"},
		{"print", "attacks were accepted", "no bona fide was measured"},
	} {
		var h byHand
		h.add(c.species, some(20, 2, 0.9)...)
		about := modelAt(0.5)
		about.Rehearsal, about.By = true, []string{"attack_type"}
		r := h.build(t, about)
		require.Contains(t, r.Summary, c.has)
		require.Contains(t, r.Missing["curves"], c.lacks)
		require.Nil(t, r.Folds[0].AUC)
		require.Nil(t, r.Folds[0].at(RuleModel).HTER)
		text := page(t, r)
		lacks(t, text, "NaN")
		shows(t, text, c.lacks)
		require.NoError(t, r.Text(t.Output()))
	}
}

func TestWithoutThreshold(t *testing.T) {
	var h byHand
	h.add("", 0.9)
	r := h.build(t, About{Rehearsal: true})
	require.Contains(t, r.Summary, "No threshold is known")
	require.True(t, slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Code == "no_model_threshold" }))
	page(t, r)
	require.NoError(t, r.Text(t.Output()))
}

func TestVerdicts(t *testing.T) {
	var h byHand
	h.add("", some(10, 0, 0.9)...)
	h.add("print", some(10, 0, 0.1)...)
	h.add("", 0.9) // stays a still picture
	for i := range 20 {
		r := &h.results[i]
		r.Still, r.Verdict, r.DecidedAt = false, liveproof.OutcomeSpoof, float64(i+1)
		if r.BonaFide() {
			r.Verdict = liveproof.OutcomeLive
		}
	}
	h.results[0].Verdict, h.results[0].Reasons, h.results[0].DecidedAt = liveproof.OutcomeInconclusive, []liveproof.Reason{liveproof.ReasonBlurred}, 0
	h.results[1].Verdict, h.results[1].DecidedAt = "", 0
	h.results[2].Verdict = liveproof.OutcomeSpoof
	h.results[10].Verdict = liveproof.OutcomeLive
	v := h.build(t, modelAt(0.5)).Verdicts
	require.Equal(t, 10, v.BonaFide.Videos, "a still picture has no verdict")
	require.Equal(t, 0.2, v.BonaFide.Inconclusive.Value)
	require.Equal(t, 0.1, v.BonaFide.Spoof.Value)
	require.Equal(t, 0.3, v.BonaFide.NotLive.Value)
	require.Equal(t, 1.0/8, v.BonaFide.CalledSpoof.Value)
	require.Equal(t, 0.1, v.Attacks.Live.Value)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonBlurred, noVerdict}, []liveproof.Reason{v.Reasons[0].Reason, v.Reasons[1].Reason})
	require.Equal(t, TimeRow{Name: "attacks", Videos: 10, Median: 15, P90: 19, P95: 20, Max: 20, Of: 10, Curve: v.Times[1].Curve}, v.Times[1])
	require.Equal(t, TimePoint{20, 1}, v.Times[1].Curve[9])
}

func TestStillPicturesOnly(t *testing.T) {
	var h byHand
	h.add("", some(10, 1, 0.9)...)
	h.add("print", some(10, 2, 0.1)...)
	about := modelAt(0.5)
	about.Rehearsal = true
	r := h.build(t, about)
	require.Nil(t, r.Verdicts)
	require.Contains(t, r.Missing["verdicts"], "still pictures")
	require.Equal(t, "score", r.Rehearsal.By)
	require.Equal(t, 0.2, r.Rehearsal.MaxAPCER.Errors.Value)
	require.Nil(t, r.Rehearsal.BonaFide.NoResponse)
	shows(t, page(t, r), "All files are still pictures. A verdict needs a video.")
}

func TestNotAcquired(t *testing.T) {
	var h byHand
	h.add("", 0.9, 0, 0.8)
	h.add("print", 0.1, 0)
	for _, i := range []int{1, 4} {
		h.results[i].Acquired, h.results[i].Unscored = false, map[liveproof.Reason]int64{liveproof.ReasonBlurred: 2, liveproof.ReasonNoFace: 5}
	}
	h.results[4].Error = "no such file"
	r := h.build(t, modelAt(0.5))
	a := r.Folds[0].at(RuleModel)
	require.Equal(t, 1.0/3, a.BPCER.Value, "it counts as rejected")
	require.Equal(t, 2, a.APCERPooled.Of, "it keeps its place in the denominator")
	require.Equal(t, []Failure{{Name: "0001", Reason: "no_face"}, {Name: "0004", AttackType: "print", Reason: "no_face", Error: "no such file"}}, r.NotAcquired)
	require.Len(t, r.Unfinished, 1)
	require.Len(t, r.WorstBonaFide, 2, "without a score there is no timeline to look at")
	require.Equal(t, 0.8, r.WorstBonaFide[0].Score)
}

func TestGroups(t *testing.T) {
	f := own()
	about := f.about()
	about.By = []string{"camera", "attack_type", "no such column"}
	r, err := Build(f.plan, f.results, about)
	require.NoError(t, err)
	require.Equal(t, []string{"laptop", "phone", "webcam"}, groupValues(r.Groupings[0]))
	require.Equal(t, []string{"", "cut", "print", "replay"}, groupValues(r.Groupings[1]))
	require.Equal(t, []string{""}, groupValues(r.Groupings[2]))
	bonaFide := r.Groupings[1].Groups[0].At[RuleModel]
	require.Nil(t, bonaFide.APCER)
	require.NotNil(t, bonaFide.BPCER)
	shows(t, page(t, r), "By no such column")
}

func groupValues(g Grouping) (list []string) {
	for _, one := range g.Groups {
		list = append(list, one.Value)
	}
	return list
}

func TestRehearsal(t *testing.T) {
	var h byHand
	h.add("print", some(149, 0, 0.1)...)
	for i := range h.results {
		h.results[i].Still, h.results[i].Verdict, h.results[i].DecidedAt = false, liveproof.OutcomeSpoof, 2
	}
	about := modelAt(0.5)
	about.Rehearsal = true
	h2 := h.build(t, about).Rehearsal
	require.Equal(t, "verdict", h2.By)
	require.InDelta(t, 0.0199, h2.Species[0].Upper, 0.0001, "0 errors of 149 are at most 2 %")
	require.Nil(t, h2.BonaFide)
	require.Contains(t, h2.IAPMR, "Not applicable")
}

func TestRefused(t *testing.T) {
	for name, spoil := range map[string]func(*byHand){
		"missing":          func(h *byHand) { h.results = h.results[1:] },
		"twice":            func(h *byHand) { h.results = append(h.results, h.results[0]) },
		"unknown":          func(h *byHand) { h.results[0].Name = "another" },
		"NaN":              func(h *byHand) { h.results[0].Score = math.NaN() },
		"above 1":          func(h *byHand) { h.results[0].Smoothed = 1.5 },
		"infinite time":    func(h *byHand) { h.results[0].DecidedAt = math.Inf(1) },
		"NaN in timeline":  func(h *byHand) { h.results[0].Samples = []liveproof.Sample{{Scored: true, Rho: math.NaN()}} },
		"score by rule":    func(h *byHand) { h.results[0].Acquired = false },
		"fold names other": func(h *byHand) { h.plan.Folds = []evaluation.Fold{{Eval: []string{"another"}}} },
		"fold names twice": func(h *byHand) { h.plan.Folds = []evaluation.Fold{{Eval: []string{"0000", "0000"}}} },
		"nothing measured": func(h *byHand) { h.plan.Folds = []evaluation.Fold{{Dev: []string{"0000"}}} },
		"no fold":          func(h *byHand) { h.plan.Folds = []evaluation.Fold{} },
	} {
		t.Run(name, func(t *testing.T) {
			var h byHand
			names := append(h.add("", 0.9, 0.8), h.add("print", 0.1)...)
			h.plan.Folds = []evaluation.Fold{{Eval: names}}
			_, err := Build(h.plan, h.results, About{})
			require.NoError(t, err)
			spoil(&h)
			_, err = Build(h.plan, h.results, About{})
			require.ErrorIs(t, err, ErrResults)
		})
	}
}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	f := own()
	write := func() (out [2]bytes.Buffer) {
		r, err := Build(f.plan, f.results, f.about())
		require.NoError(t, err)
		require.NoError(t, r.JSON(&out[0]))
		require.NoError(t, r.HTML(&out[1]))
		return out
	}
	first := write()
	slices.Reverse(f.results)
	second := write()
	same(t, JSONName, first[0].String(), second[0].String())
	same(t, HTMLName, first[1].String(), second[1].String())
}

func TestWarnings(t *testing.T) {
	codes := func(r *Report) (list []string) {
		for _, w := range r.Warnings {
			list = append(list, w.Code)
		}
		return list
	}
	var h byHand
	h.add("", some(9, 1, 0.9)...)
	h.add("print", some(9, 1, 0.1)...)
	h.results[0].Model.SHA256 = "other"
	about := modelAt(0.5)
	about.Model.Demo = true
	r := h.build(t, about)
	require.Equal(t, []string{"demo_model", "several_models", "no_realistic", "idealised", "few_subjects", "few_attacks", "stills"}, codes(r))

	h.plan.Folds = []evaluation.Fold{{Dev: h.plan.Folds[0].Eval, Eval: h.plan.Folds[0].Eval}}
	require.Subset(t, codes(h.build(t, about)), []string{"dev_in_eval", "subjects_shared"})
}

func TestWarningsOfThePlan(t *testing.T) {
	var h byHand
	h.add("", 0.9)
	h.plan.Warnings = []string{"there is no column subject"}
	require.Contains(t, h.build(t, About{}).Warnings, Warning{"plan", "There is no column subject."})
}

func TestWarningOfScoresThatAreAGuess(t *testing.T) {
	var h byHand
	h.add("", 0.1, 0.9, 0.3, 0.6)
	h.add("print", 0.2, 0.8, 0.4, 0.5)
	require.True(t, slices.ContainsFunc(h.build(t, About{}).Warnings, func(w Warning) bool { return w.Code == "no_skill" }))
}

func TestNoIntervalWithoutWidth(t *testing.T) {
	var h byHand
	h.add("", 0.8, 0.9, 0.7)
	h.add("print", 0.1, 0.2, 0.3)
	require.Equal(t, &Estimate{Value: 1}, h.build(t, About{}).Folds[0].AUC)
}

func TestAFoldAloneHasItsThresholdsMarked(t *testing.T) {
	var h byHand
	names := append(h.add("", 0.9, 0.8), h.add("print", 0.1, 0.2)...)
	h.plan.Folds = []evaluation.Fold{{Name: "oulu-4.2", Dev: names, Eval: names}}
	lines := h.build(t, modelAt(0.5)).Histogram.Lines
	require.Equal(t, []Line{{Rule: RuleModel, Threshold: 0.5}, {Rule: RuleRealistic, Threshold: 0.8}, {Rule: RuleIdealised, Threshold: 0.8}}, lines)
}

func TestGroupsByAColumnOfHostileName(t *testing.T) {
	r := hostileReport(t, "\u202ecolumn\x00", "print")
	require.NotEmpty(t, r.Groupings[0].Groups[0].Value)
}
