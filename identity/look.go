package identity

import (
	"context"
	"time"
)

// opinion is what a comparison by the embedder says; it is a label value of a metric.
type opinion string

const (
	same   opinion = "same"   // the cosine is at least Config.Same
	unsure opinion = "unsure" // it is between Config.Other and Config.Same
	other  opinion = "other"  // it is below Config.Other
	failed opinion = "failed" // the embedder failed, or Config.Timeout was over
	absent opinion = "absent" // there is no embedder, or no face to compare with
)

// comparison is what came of asking the embedder about a view.
type comparison struct {
	opinion
	cosine float64 // with the nearest of the person's faces; 0 if failed or absent
}

// models is how many faces of the person are kept for the embedder.
const models = 3

// model is a face of the watched person. It is embedded when it is first needed, so that a session without a doubt costs no run.
type model struct {
	face *face
	vec  *embedding
}

// look compares the shot's face with the person's by the embedder. A watcher that does not wait for it gives up after Config.Timeout.
func (w *Watcher) look(ctx context.Context, s *shot) (c comparison) {
	begun := time.Now()
	defer func() { w.met.looked(c.opinion, time.Since(begun)) }()
	if !w.waits {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.cfg.Timeout)
		defer cancel()
	}
	vec, cosine, err := w.compare(ctx, s.cutOut())
	if err != nil {
		w.log.Debug("face embedder failed", "error", err)
		return comparison{opinion: failed}
	}
	r := &w.rules
	switch {
	case cosine >= w.cfg.Same:
		if len(r.models) < models {
			r.models = append(r.models, model{vec: vec})
		}
		return comparison{same, cosine}
	case cosine < w.cfg.Other:
		return comparison{other, cosine}
	}
	return comparison{unsure, cosine}
}

// compare returns the face's embedding and its greatest cosine with the person's.
func (w *Watcher) compare(ctx context.Context, f *face) (vec *embedding, cosine float64, err error) {
	if vec, err = w.embed(ctx, f); err != nil {
		return nil, 0, err
	}
	cosine = -1
	for i := range w.rules.models {
		m := &w.rules.models[i]
		if m.vec == nil {
			if m.vec, err = w.embed(ctx, m.face); err != nil {
				return nil, 0, err
			}
			m.face = nil
		}
		cosine = max(cosine, vec.cosine(m.vec))
	}
	return vec, cosine, nil
}
