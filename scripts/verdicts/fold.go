package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/variants"
	"github.com/liveproof/liveproof/verdict"
)

// row is the verdict on a presentation by one policy.
type row struct {
	judged
	required []liveproof.Evidence
	verdict  liveproof.Verdict
	anew     bool // the evidence began again after a swap had begun, so that it is of what followed alone
}

// policies are the lists of required evidence that are reported, the laxest first.
func policies(challenge liveproof.Evidence) [][]liveproof.Evidence {
	passive, motion := liveproof.EvidencePassive, liveproof.EvidenceMotion
	return [][]liveproof.Evidence{{passive}, {passive, motion}, {passive, motion, challenge}}
}

// judgedBy are the policies that a presentation's timeline is judged by. Where it was judged with several challenges, only the timeline with the
// first of them says what the policies without a challenge give: each presentation counts once.
func (j judged) judgedBy(all []judged) [][]liveproof.Evidence {
	list := policies(j.Challenge)
	earlier := func(o judged) bool {
		return o.Path == j.Path && o.Route == j.Route && slices.Index(challenges, o.Challenge) < slices.Index(challenges, j.Challenge)
	}
	if slices.ContainsFunc(all, earlier) {
		return list[len(list)-1:]
	}
	return list
}

func verdicts(all []judged) (rows []row, err error) {
	threshold := thresholdOf(all)
	for _, j := range all {
		if !j.Told.Threshold.Valid() { // sessions of a server do not tell theirs
			j.Told.Threshold = threshold
		}
		for _, required := range j.judgedBy(all) {
			r, err := fold(j, required)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", j.Path, err)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// thresholdOf is the threshold by which files were judged.
func thresholdOf(all []judged) liveproof.Threshold {
	for _, j := range all {
		if j.Told.Threshold.Valid() {
			return j.Told.Threshold
		}
	}
	return liveproof.Threshold{}
}

// fold judges a timeline by a policy. A session without a challenge would have no samples that say how the challenge went.
func fold(j judged, required []liveproof.Evidence) (r row, err error) {
	p := verdict.DefaultPolicy()
	p.Threshold, p.Require = j.Told.Threshold.Value, required
	f, err := verdict.New(p, liveproof.ModeOnboarding)
	if err != nil {
		return r, err
	}
	r = row{judged: j, required: required}
	last := time.Duration(0)
	for _, s := range j.Told.Samples {
		if !slices.Contains(required, j.Challenge) {
			s.Reasons = slices.DeleteFunc(slices.Clone(s.Reasons), ofChallenge)
		}
		before := f.Restarts()
		f.Add(s)
		if !f.Verdict().Final && f.Restarts() > before && s.T.Seconds() > variants.SwapAt {
			r.anew = true
		}
		last = s.T
	}
	f.End(last, liveproof.ReasonInsufficientEvidence)
	r.verdict = f.Verdict()
	return r, nil
}

func ofChallenge(r liveproof.Reason) bool {
	return r == liveproof.ReasonChallengeFailed || r == liveproof.ReasonChallengeUnanswered
}

// risk is the largest risk of injection in a timeline, and its signal.
func (j judged) risk() (top liveproof.Injection) {
	for _, s := range j.Told.Samples {
		if i, measured := liveproof.InjectionOf(s.Signals); measured && i.Risk > top.Risk {
			top = i
		}
	}
	return top
}

// accepted reports whether the verdict is live on evidence that a swap runs through, or on what is no person before a camera.
func (r row) accepted() bool {
	return r.verdict.Outcome == liveproof.OutcomeLive && !r.afterSwap()
}

// afterSwap reports whether the verdict is live for the person who came after a swap, on evidence of that person alone.
func (r row) afterSwap() bool {
	return r.verdict.Outcome == liveproof.OutcomeLive && r.Shows == variants.ShowsSwap && r.anew && !strings.HasSuffix(r.Variant, "to-still")
}

func joined[T ~string](list []T) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(v))
	}
	return b.String()
}

func writeRows(path string, rows []row) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	list := [][]string{{"subject", "variant", "kind", "shows", "route", "required", "verdict", "at", "anew", "reasons", "given", "injection_risk", "injection_signal"}}
	for _, r := range rows {
		v, risk := r.verdict, r.risk()
		list = append(list, []string{
			r.Subject, r.Variant, string(r.Kind), string(r.Shows), r.Route, joined(r.required), string(v.Outcome), fmt.Sprintf("%.2f", v.At.Seconds()),
			fmt.Sprint(r.anew), joined(v.Reasons), joined(v.Evidence), fmt.Sprintf("%.2f", risk.Risk), risk.Signal,
		})
	}
	return csv.NewWriter(file).WriteAll(list)
}
