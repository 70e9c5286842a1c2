package engine

import (
	"slices"
	"sync"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/scorer"
)

// rulesFor reads the calibrations and refuses those of another model.
func (e *Engine) rulesFor(model scorer.Model) (calibration.Rules, error) {
	rules, err := calibration.Load(e.cfg.Calibration, e.cfg.Verdict.Threshold)
	if err != nil {
		return rules, err
	}
	return rules, rules.Fit(liveproof.ModelInfo{Name: model.Name, SHA256: model.SHA256})
}

// judgedBy returns the session with what judges it: the model, the threshold and the detector.
func (e *Engine) judgedBy(s liveproof.Session, model liveproof.ModelInfo) (liveproof.Session, error) {
	threshold, err := e.thresholds.of(s, model)
	if err != nil {
		return s, err
	}
	s.Model, s.Threshold, s.Detector = model, threshold, e.Detector()
	return s, nil
}

// thresholds holds the rules of the current model and, while that model is being replaced, those of the next one too, because
// a session may begin on either side of the replacement. It is safe for concurrent use.
type thresholds struct {
	replacing sync.Mutex // one replacement at a time

	mu    sync.RWMutex
	rules []calibration.Rules // newest first
}

// of is the threshold of a session that this model scores: by the newest rules that were made for the model.
func (t *thresholds) of(s liveproof.Session, model liveproof.ModelInfo) (liveproof.Threshold, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	fits := func(r calibration.Rules) bool { return r.Fit(model) == nil }
	return t.rules[max(slices.IndexFunc(t.rules, fits), 0)].For(s, model)
}

func (t *thresholds) names() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rules[0].Names()
}

// replace makes these rules the only ones if the model's replacement succeeds, and leaves the old ones if it fails.
func (t *thresholds) replace(next calibration.Rules, replaceModel func() error) error {
	t.replacing.Lock()
	defer t.replacing.Unlock()
	t.add(next)
	err := replaceModel()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.rules = t.rules[1:]
	} else {
		t.rules = t.rules[:1]
	}
	return err
}

func (t *thresholds) add(rules calibration.Rules) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = append([]calibration.Rules{rules}, t.rules...)
}
