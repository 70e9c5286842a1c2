package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/term"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/scorer"
)

// detectorModel is looked for in the catalogue; without it the Haar cascade serves.
const detectorModel = "retinaface-mobilenet025"

// sessionStore is what serve needs of a store; both of package store's are one.
type sessionStore interface {
	ingest.Sessions
	pipeline.Recorder
	io.Closer
}

// engine is what judges frames, shared by all sessions of the process.
type engine struct {
	cfg      Config
	log      *slog.Logger
	catalog  *models.Catalog
	runtime  *onnx.Runtime
	detector *detector.Detector
	network  string // SHA-256 of the detector's file; empty for the Haar cascade
	cropper  *detector.Cropper
	scorer   *scorer.Batcher
	metrics  *pipeline.Metrics
	pool     *liveproof.ImagePool
}

// openEngine loads the models. It refuses what is not exactly what the
// configuration and the catalogue name.
func openEngine(ctx context.Context, cfg Config, log *slog.Logger, reg prometheus.Registerer) (*engine, error) {
	e, err := openEyes(cfg, log)
	if err != nil {
		return nil, err
	}
	e.metrics = pipeline.NewMetrics(reg)
	if err := e.openScorer(ctx, reg); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// openEyes loads what finds and cuts out faces, without what judges them.
func openEyes(cfg Config, log *slog.Logger) (_ *engine, err error) {
	e := &engine{cfg: cfg, log: log, pool: &liveproof.ImagePool{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.catalog, err = models.New(cfg.Models, configs.Models(), models.DefaultPlaces()); err != nil {
		return nil, usage(err)
	}
	if e.runtime, err = onnx.Open(cfg.ONNX); err != nil {
		return nil, err
	}
	return e, e.openDetector()
}

func (e *engine) openDetector() error {
	file, err := e.catalog.Find(detectorModel)
	if err != nil && !errors.Is(err, models.ErrMissing) {
		return err
	}
	e.network = file.SHA256
	if e.detector, err = detector.Open(e.cfg.Detector, e.runtime, file.Data, e.log); err != nil {
		return err
	}
	e.cropper, err = detector.NewCropper(e.cfg.Detector)
	return err
}

func (e *engine) openScorer(ctx context.Context, reg prometheus.Registerer) error {
	model, err := e.scorerModel()
	if err != nil {
		return err
	}
	backend, err := scorer.Load(ctx, e.runtime, model, e.cfg.Scorer)
	if err != nil {
		return err
	}
	e.scorer, err = scorer.New(e.cfg.Scorer, backend, scorer.NewMetrics(reg), e.log)
	return err
}

// Run drives the batcher until ctx ends.
func (e *engine) Run(ctx context.Context) error { return e.scorer.Run(ctx) }

// Ready tells whether the scorer scores.
func (e *engine) Ready(context.Context) error { return e.scorer.Ready() }

// Model identifies the scorer's current model, which new sessions get.
func (e *engine) Model() liveproof.ModelInfo { return e.scorer.Info() }

// Detector is the name of the face detector in use.
func (e *engine) Detector() string { return e.detector.Name() }

// Close frees the models, downstream last; it is idempotent.
func (e *engine) Close() error {
	var errs []error
	if e.scorer != nil {
		errs = append(errs, e.scorer.Close())
	}
	if e.detector != nil {
		errs = append(errs, e.detector.Close())
	}
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close())
	}
	return errors.Join(errs...)
}

// session assembles one session's pipeline over this engine. model is pinned for the
// session's life: its threshold judges its scores.
func (e *engine) session(cfg pipeline.Config, info liveproof.Session, model *scorer.Pinned, source mediaSource,
	recorder pipeline.Recorder, observe pipeline.Observer,
) (*pipeline.Session, error) {
	info.Model, info.Detector = model.Info(), e.Detector()
	return pipeline.New(cfg, pipeline.Deps{
		Source: source, Detector: e.detector.NewStream(), Cropper: e.cropper, Scorer: model,
		Recorder: recorder, Observer: observe, Policy: e.cfg.Verdict, Pool: e.pool,
		Media:   func() liveproof.FrameCounts { return frameCounts(source.Counts()) },
		Metrics: e.metrics, Log: e.log,
	}, info)
}

// mediaSource is a live stream or a file of package media.
type mediaSource interface {
	pipeline.Source
	Counts() media.Counts
}

func frameCounts(c media.Counts) liveproof.FrameCounts {
	return liveproof.FrameCounts{Received: c.Received, Decoded: c.Decoded, Dropped: c.TotalDropped()}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// baseURL shows a listen address as a browser would type it.
func baseURL(address string, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return scheme + "://" + address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, port))
}
