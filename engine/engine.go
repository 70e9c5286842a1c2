package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/identity"
	"github.com/liveproof/liveproof/injection"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/motion"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/scorer"
)

// Deps are optional: each may be nil.
type Deps struct {
	Log     *slog.Logger          // nil discards
	Metrics prometheus.Registerer // nil leaves the metrics unregistered
	// Attestor verifies what clients state about themselves; nil verifies nothing.
	Attestor injection.Attestor
}

// Engine judges streams and files.
type Engine struct {
	*Faces
	log        *slog.Logger
	identity   *identity.Identity
	scorer     *scorer.Batcher
	metrics    *pipeline.Metrics
	motion     *motion.Metrics
	challenges *challenge.Metrics
	injection  *injection.Metrics
	attestor   injection.Attestor
	thresholds thresholds
}

// Open loads the models. It refuses a configuration that is out of range or that
// names a calibration of another model (ErrConfig), and a model that is not exactly
// what the configuration and the catalogue name.
func Open(ctx context.Context, cfg Config, deps Deps) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	faces, err := openFaces(cfg, deps)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		Faces: faces, log: deps.Log, metrics: pipeline.NewMetrics(deps.Metrics), motion: motion.NewMetrics(deps.Metrics),
		challenges: challenge.NewMetrics(deps.Metrics), injection: injection.NewMetrics(deps.Metrics), attestor: deps.Attestor,
	}
	if err := errors.Join(e.openIdentity(deps.Metrics), e.openScorer(ctx, deps.Metrics)); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	onnx.Reclaim()
	return e, nil
}

// openIdentity loads the face embedder, where its file is there.
func (e *Engine) openIdentity(reg prometheus.Registerer) error {
	file, err := e.catalog.Find(identity.Model)
	if err != nil && !errors.Is(err, models.ErrMissing) && !errors.Is(err, models.ErrUnknown) {
		return err
	}
	e.identity, err = identity.Open(e.cfg.Identity, e.runtime, file.Data, identity.NewMetrics(reg), e.log)
	return err
}

func (e *Engine) openScorer(ctx context.Context, reg prometheus.Registerer) error {
	model, err := e.scorerModel()
	if err != nil {
		return err
	}
	rules, err := e.rulesFor(model)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	e.thresholds.add(rules)
	backend, err := scorer.Open(ctx, e.runtime, model, e.cfg.Scorer, e.log)
	if err != nil {
		return err
	}
	e.scorer, err = scorer.New(e.cfg.Scorer, backend, scorer.NewMetrics(reg), e.log)
	return err
}

// scorerModel finds the file that the configuration names.
func (e *Engine) scorerModel() (scorer.Model, error) {
	file, err := e.catalog.Resolve(e.cfg.Scorer.Model, e.cfg.Scorer.ModelSHA256)
	if err != nil {
		return scorer.Model{}, err
	}
	return scorer.Model{Name: file.Name, SHA256: file.SHA256, Data: file.Data}, nil
}

// Run scores until ctx ends. Nothing is judged before it is called, or after it has returned.
func (e *Engine) Run(ctx context.Context) error { return e.scorer.Run(ctx) }

// Started is closed when Run has begun to score. A service opens its door then, so that no early caller is refused.
func (e *Engine) Started() <-chan struct{} { return e.scorer.Started() }

// Reload reads the scorer's model file and the calibrations again and judges new
// sessions with them. Running sessions keep the old model and threshold, and so do
// new ones after an error, such as a calibration of another model.
func (e *Engine) Reload(ctx context.Context) error {
	model, err := e.scorerModel()
	if err != nil {
		return err
	}
	rules, err := e.rulesFor(model)
	if err != nil {
		return err
	}
	defer onnx.Reclaim()
	return e.thresholds.replace(rules, func() error { return e.scorer.Replace(ctx, e.runtime, model) })
}

// Ready reports why nothing can be scored now; nil when scoring works.
func (e *Engine) Ready(context.Context) error { return e.scorer.Ready() }

// Admit reports whether a session that begins now could be judged:
// liveproof.ErrOverloaded or ErrUnavailable if not.
func (e *Engine) Admit() error { return e.scorer.Admit() }

// Utilisation is the scorer's load of the last seconds as a share of what its workers could score: 0 is idle,
// 1 is all. It can be above 1 for a moment.
func (e *Engine) Utilisation() float64 { return e.scorer.Utilisation() }

// Model identifies the current model, which new sessions get.
func (e *Engine) Model() liveproof.ModelInfo { return e.scorer.Info() }

// Calibrations are the names of the calibrations that a session may ask for (liveproof.Session.Calibration), sorted.
func (e *Engine) Calibrations() []string { return e.thresholds.names() }

// Required is the evidence that a session of this tenant and mode requires if its creator asks for asked.
func (e *Engine) Required(tenant string, mode liveproof.Mode, asked []liveproof.Evidence) []liveproof.Evidence {
	return e.cfg.Verdict.Required(tenant, mode, asked)
}

// Threshold is what judges a session that begins now.
func (e *Engine) Threshold(s liveproof.Session) (liveproof.Threshold, error) {
	return e.thresholds.of(s, e.Model())
}

// Close frees the models. It is idempotent.
func (e *Engine) Close() error {
	var err error
	if e.scorer != nil {
		err = e.scorer.Close()
	}
	if e.identity != nil {
		err = errors.Join(err, e.identity.Close())
	}
	return errors.Join(err, e.Faces.Close())
}

// source is a live stream or a file of package media.
type source interface {
	pipeline.Source
	Counts() media.Counts
}

// session assembles one session's pipeline. The session keeps its model and its
// threshold to its end.
func (e *Engine) session(cfg pipeline.Config, info liveproof.Session, model *scorer.Pinned, from source,
	recorder pipeline.Recorder, observe pipeline.Observer, more ...pipeline.Examiner,
) (*pipeline.Session, error) {
	examiners, err := e.examiners(info, from)
	if err != nil {
		return nil, err
	}
	return pipeline.New(cfg, pipeline.Deps{
		Source: from, Detector: e.detector.NewStream(), Cropper: e.cropper, Scorer: model, Identity: e.identity.Watch(!cfg.Live), Examiners: append(examiners, more...),
		Recorder: recorder, Observer: observe, Policy: e.cfg.Verdict, Pool: e.pool,
		Media:   func() liveproof.FrameCounts { return frameCounts(from.Counts()) },
		Metrics: e.metrics, Log: e.log,
	}, info)
}

func frameCounts(c media.Counts) liveproof.FrameCounts {
	return liveproof.FrameCounts{Received: c.Received, Decoded: c.Decoded, Dropped: c.TotalDropped()}
}
