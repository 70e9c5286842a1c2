package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/onnx"
)

// ErrConfig says that the configuration is wrong; the error names the key.
var ErrConfig = errors.New("configuration")

// Faces finds faces and cuts them out, without judging them.
type Faces struct {
	cfg      Config
	catalog  *models.Catalog
	runtime  *onnx.Runtime
	detector *detector.Detector
	cropper  *detector.Cropper
	network  string // SHA-256 of the detector's file; empty for the Haar cascade
	pool     *liveproof.ImagePool
}

// OpenFaces loads the face detector for extraction, whose crops must be the same on every machine and in
// every run: it runs on the plain CPU provider, whatever is configured, and nothing is prepared for following.
func OpenFaces(cfg Config, log *slog.Logger) (*Faces, error) {
	cfg.Detector.Provider = onnx.ProviderCPU
	cfg.Detector.Follow.Every = 0
	return openFaces(cfg, Deps{Log: log})
}

func openFaces(cfg Config, deps Deps) (_ *Faces, err error) {
	f := &Faces{cfg: cfg, pool: &liveproof.ImagePool{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.catalog, err = models.New(cfg.Models, configs.Models(), models.DefaultPlaces()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if f.runtime, err = onnx.Open(cfg.ONNX); err != nil {
		return nil, err
	}
	file, err := f.catalog.Find(detector.Model()) // without the file the Haar cascade is used
	if err != nil && !errors.Is(err, models.ErrMissing) {
		return nil, err
	}
	f.network = file.SHA256
	if f.detector, err = detector.Open(cfg.Detector, f.runtime, file.Data, detector.NewMetrics(deps.Metrics), deps.Log); err != nil {
		return nil, err
	}
	f.cropper, err = detector.NewCropper(cfg.Detector)
	return f, err
}

// Config is the configuration with which the engine or the faces were opened.
func (f *Faces) Config() Config { return f.cfg }

// Detector is the name of the face detector in use, such as retinaface.
func (f *Faces) Detector() string { return f.detector.Name() }

// Network is the SHA-256 of the detector's file, empty for the Haar cascade.
func (f *Faces) Network() string { return f.network }

// Follow returns a detector for the pictures of one stream, in order.
func (f *Faces) Follow() *detector.Stream { return f.detector.NewStream() }

// Cropper cuts faces out; it is shared by all streams.
func (f *Faces) Cropper() *detector.Cropper { return f.cropper }

// Pool lends the images that detector and cropper work on.
func (f *Faces) Pool() *liveproof.ImagePool { return f.pool }

// Paths are the files and folders from which the engine reads once it is open, at a reload above all: the folders of models, the
// scorer's model where it is a file, the calibrations, and the folder of ONNX Runtime's libraries. Some may be missing.
func (f *Faces) Paths() []string {
	paths := append(f.catalog.Dirs(), filepath.Dir(f.runtime.Library()), f.cfg.Calibration.Default)
	paths = append(paths, f.cfg.Scorer.KServe.CA, f.cfg.Scorer.KServe.Cert, f.cfg.Scorer.KServe.Key)
	if models.IsPath(f.cfg.Scorer.Model) {
		paths = append(paths, f.cfg.Scorer.Model)
	}
	paths = slices.AppendSeq(paths, maps.Values(f.cfg.Calibration.Tenants))
	paths = slices.AppendSeq(paths, maps.Values(f.cfg.Calibration.Requests))
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" })
}

// Close frees the detector. It is idempotent.
func (f *Faces) Close() error {
	var errs []error
	if f.detector != nil {
		errs = append(errs, f.detector.Close())
	}
	if f.runtime != nil {
		errs = append(errs, f.runtime.Close())
	}
	return errors.Join(errs...)
}
