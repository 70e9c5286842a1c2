package identity

import (
	"context"
	"time"

	"github.com/liveproof/liveproof"
)

// opinion is what a comparison by the embedder says; it is a label value of a metric.
type opinion string

const (
	same   opinion = "same"   // the cosine is at least Config.Same
	unsure opinion = "unsure" // it is between Config.Other and Config.Same
	other  opinion = "other"  // it is below Config.Other
	failed opinion = "failed" // the embedder failed, or Config.Timeout was over
	absent opinion = "absent" // there is no embedder, or there are no landmarks
)

// models is how many faces of the person are kept for the embedder.
const models = 3

// model is a face of the watched person. It is embedded when it is first needed, so that a session without a doubt costs no run.
type model struct {
	face *face
	vec  *embedding
}

// look compares the view's face with the person's by the embedder, within Config.Timeout.
func (w *Watcher) look(ctx context.Context, v liveproof.View) (o opinion) {
	at, ok := alignment(v.Face.Landmarks)
	if w.embed == nil || len(w.models) == 0 || !ok {
		return absent
	}
	begun := time.Now()
	defer func() { w.met.looked(o, time.Since(begun)) }()
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	w.looked = v.T
	vec, cosine, err := w.compare(ctx, faceOf(v.Image, at))
	if err != nil {
		w.log.Debug("face embedder failed", "error", err)
		return failed
	}
	switch {
	case cosine >= w.cfg.Same:
		if len(w.models) < models {
			w.models = append(w.models, model{vec: vec})
		}
		return same
	case cosine < w.cfg.Other:
		return other
	}
	return unsure
}

// compare returns the face's embedding and its greatest cosine with the person's.
func (w *Watcher) compare(ctx context.Context, f *face) (vec *embedding, cosine float64, err error) {
	if vec, err = w.embed(ctx, f); err != nil {
		return nil, 0, err
	}
	cosine = -1
	for i := range w.models {
		m := &w.models[i]
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
