package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
)

// fabricator makes plans and results that look like real ones. The same seed gives the same results.
type fabricator struct {
	random  *rand.Rand
	plan    evaluation.Plan
	results []evaluation.Result
}

func fabricate(seed uint64, title string) *fabricator {
	return &fabricator{random: rand.New(rand.NewPCG(seed, 0)), plan: evaluation.Plan{Title: title}}
}

// about is a run of the demo model.
func (f *fabricator) about() About {
	return About{
		Command: []string{"liveproof", "evaluate", "--files", "my attacks.csv", "--by", "camera"}, Version: "0.3.0",
		Time: time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC), Host: Host{OS: "linux/amd64", CPU: "Example CPU", Cores: 8, Memory: 16 << 30},
		Model:         liveproof.ModelInfo{Name: "liveproof-demo-resnet18", SHA256: fmt.Sprintf("%064x", 0xabcdef), Threshold: 0.55, Demo: true, Provider: "cpu", Precision: "fp32"},
		ThresholdFrom: "the model's metadata", Detector: "retinaface", ConfigSHA256: fmt.Sprintf("%064x", 0x12345), Via: evaluation.ViaDirect,
		By: []string{"camera"}, Rehearsal: true,
	}
}

var cameras = []string{"phone", "laptop", "webcam"}

// add adds n presentations of a species ("" is bona fide), whose scores lie around the mean, and returns their names.
func (f *fabricator) add(set, species string, n int, mean float64) (names []string) {
	for i := range n {
		camera := cameras[i%len(cameras)]
		r := evaluation.Result{
			Presentation: evaluation.Presentation{
				Name: fmt.Sprintf("%s/%s_%03d_%s", set, species, i, camera), Subject: fmt.Sprintf("%s-%02d", set, i%24), AttackType: species,
				Meta: map[string]string{"camera": camera},
			},
			Model: f.about().Model, Detector: "retinaface",
		}
		if species != "" {
			r.Instrument = fmt.Sprintf("%s %c", species, 'A'+rune(i%2))
		}
		f.judge(&r, mean-0.08*float64(i%len(cameras)))
		f.plan.Presentations = append(f.plan.Presentations, r.Presentation)
		f.results = append(f.results, r)
		names = append(names, r.Name)
	}
	return names
}

// judge fabricates a timeline of 8 s and what follows from it.
func (f *fabricator) judge(r *evaluation.Result, mean float64) {
	r.Unscored = map[liveproof.Reason]int64{}
	if f.random.IntN(60) == 0 {
		r.Verdict, r.Reasons = liveproof.OutcomeInconclusive, []liveproof.Reason{liveproof.ReasonInsufficientEvidence, liveproof.ReasonNoFace}
		r.Frames, r.Unscored[liveproof.ReasonNoFace] = liveproof.FrameCounts{Received: 240, Decoded: 240, Sampled: 80}, 80
		return
	}
	level := mean + 0.16*f.random.NormFloat64()
	gap := f.random.IntN(90)
	sum := 0.0
	for i := range 80 {
		s := liveproof.Sample{Seq: int64(i + 1), T: time.Duration(i) * 100 * time.Millisecond, Track: 1}
		if i >= gap && i < gap+9 {
			s.Reasons = []liveproof.Reason{liveproof.ReasonBlurred}
			r.Unscored[liveproof.ReasonBlurred]++
		} else {
			s.Scored, s.Weight = true, 1
			s.Rho = min(max(level+0.07*math.Sin(float64(i)/9)+0.05*f.random.NormFloat64(), 0), 1)
			sum += s.Rho
			r.Frames.Scored++
		}
		r.Samples = append(r.Samples, s)
	}
	r.Frames.Received, r.Frames.Decoded, r.Frames.Sampled = 240, 240, 80
	r.Acquired, r.Score = true, sum/float64(r.Frames.Scored)
	r.Smoothed = r.Score
	f.decide(r)
}

func (f *fabricator) decide(r *evaluation.Result) {
	switch {
	case r.Score > 0.60:
		r.Verdict, r.Reasons = liveproof.OutcomeLive, []liveproof.Reason{liveproof.ReasonScoreAbove}
	case r.Score < 0.50:
		r.Verdict, r.Reasons = liveproof.OutcomeSpoof, []liveproof.Reason{liveproof.ReasonScoreBelow}
	default:
		why := []liveproof.Reason{liveproof.ReasonScoreNear, liveproof.ReasonScoreUndecided, liveproof.ReasonDeadline}
		r.Verdict, r.Reasons = liveproof.OutcomeInconclusive, why[f.random.IntN(3):][:1]
		return
	}
	r.DecidedAt = 1.8 + f.random.ExpFloat64()*0.9
}

// own is a person's own files: one fold, with a development set.
func own() *fabricator {
	f := fabricate(1, "Attacks with our printers and tablets")
	var fold evaluation.Fold
	fold.Dev = append(f.add("dev", "", 30, 0.85), append(f.add("dev", "print", 30, 0.3), f.add("dev", "replay", 30, 0.4)...)...)
	fold.Eval = append(f.add("test", "", 60, 0.83), f.add("test", "print", 72, 0.32)...)
	fold.Eval = append(fold.Eval, append(f.add("test", "cut", 24, 0.36), f.add("test", "replay", 72, 0.45)...)...)
	f.plan.Folds = []evaluation.Fold{fold}
	return f
}

// cross is a leave-one-out setting.
func cross() *fabricator {
	f := fabricate(2, "O&C&I to M")
	f.plan.Protocol, f.plan.Population = "OCI-M", "split"
	dev := append(f.add("oulu", "", 60, 0.8), f.add("oulu", "print", 60, 0.3)...)
	dev = append(dev, f.add("replay", "replay", 60, 0.35)...)
	eval := append(f.add("msu", "", 40, 0.78), append(f.add("msu", "print", 40, 0.35), f.add("msu", "replay", 80, 0.42)...)...)
	f.plan.Folds = []evaluation.Fold{{Dev: dev, Eval: eval}}
	return f
}

// folded is OULU-NPU's protocol 3.
func folded() *fabricator {
	f := fabricate(3, "OULU-NPU protocol 3")
	f.plan.Protocol = "oulu-3"
	dev := append(f.add("dev", "", 45, 0.8), append(f.add("dev", "print", 90, 0.3), f.add("dev", "replay", 90, 0.35)...)...)
	for k := range 6 {
		set := fmt.Sprintf("phone%d", k+1)
		eval := append(f.add(set, "", 30, 0.82), append(f.add(set, "print", 60, 0.3), f.add(set, "replay", 60, 0.34)...)...)
		f.plan.Folds = append(f.plan.Folds, evaluation.Fold{Name: fmt.Sprintf("oulu-3.%d", k+1), Dev: dev, Eval: eval})
	}
	return f
}

// living is bona fide only.
func living() *fabricator {
	f := fabricate(4, "Only bona fide")
	f.plan.Folds = []evaluation.Fold{{Eval: f.add("test", "", 20, 0.8)}}
	return f
}
