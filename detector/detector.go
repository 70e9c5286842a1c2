package detector

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Errors of this package; test with errors.Is.
var (
	// ErrModel: the file is not the network that this package decodes.
	ErrModel = errors.New("not the expected face detector model")
	// ErrNoDetector: there is neither a model file nor a usable Haar cascade.
	ErrNoDetector = errors.New("no face detector")
	// ErrImage: the image is nil, empty or shorter than its size says.
	ErrImage = errors.New("malformed image")
	// ErrClosed: the detector was closed.
	ErrClosed = errors.New("detector closed")
)

// Detector finds faces for all sessions of a process. It is safe for concurrent use.
type Detector struct {
	cfg    Config
	name   string
	finder finder
	nearby []nearby            // finders for regions, the smallest region first
	slots  *semaphore.Weighted // limits how many pictures are searched at once, whole or in part
	met    *Metrics
	once   sync.Once
	err    error // of closing; written inside once
}

// Open makes the detector. It loads the network from file, which must be the one
// that Model names; any other is refused with ErrModel and the difference, never
// replaced silently. Without a file (nil) it uses the Haar cascade of cfg and
// warns once. Errors wrap ErrModel or ErrNoDetector. rt may be nil without a
// file.
func Open(cfg Config, rt *onnx.Runtime, file []byte, met *Metrics, log *slog.Logger) (*Detector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Provider == "" && rt != nil && rt.Provider() == onnx.ProviderAuto {
		cfg.Provider = onnx.ProviderCPU
	}
	if file == nil {
		return openFallback(cfg, met, log)
	}
	finders, on, err := current.open(cfg, rt, file, cfg.Follow.regions(), log)
	if err != nil {
		return nil, fmt.Errorf("detector: %s: %w", current.name, err)
	}
	d := newDetector(cfg, recordedName(current.name, on), finders[0], met)
	for i, f := range finders[1:] {
		d.nearby = append(d.nearby, nearby{f, cfg.Follow.Regions[i]})
	}
	return d, nil
}

func openFallback(cfg Config, met *Metrics, log *slog.Logger) (*Detector, error) {
	f, err := openHaar(cfg)
	if err != nil {
		return nil, fmt.Errorf("detector: no file of %s, and %w", current.model, err)
	}
	log.Warn("no model file of the face detector: using OpenCV's Haar cascade, which misses turned faces and gives no landmarks; "+
		"`liveproof models pull` fetches the file", "model", current.model, "cascade", cfg.Cascade)
	return newDetector(cfg, haarName, f, met), nil
}

func newDetector(cfg Config, name string, f finder, met *Metrics) *Detector {
	return &Detector{cfg: cfg, name: name, finder: f, slots: semaphore.NewWeighted(int64(cfg.parallel())), met: met}
}

// Name is recorded with every session: the network's name, with the execution provider and the precision
// where they are not ONNX Runtime's plain CPU provider in fp32; or haar.
func (d *Detector) Name() string { return d.name }

func recordedName(network string, on onnx.Execution) string {
	if on.Provider == onnx.ProviderCPU {
		return network
	}
	return network + " on " + on.String()
}

// NewStream returns a session's view of the detector, with a track of its own.
func (d *Detector) NewStream() *Stream {
	return &Stream{
		finder: d.finder, slots: d.slots, met: d.met,
		rules: newRules(d.cfg), tracker: newTracker(d.cfg), follower: newFollower(d.cfg, d.nearby),
	}
}

// Close waits for the searches in flight and frees the detector; Detect then
// fails with ErrClosed. It is idempotent.
func (d *Detector) Close() error {
	d.once.Do(func() {
		finders := []finder{d.finder}
		for _, n := range d.nearby {
			finders = append(finders, n.finder)
		}
		d.err = closeAll(finders)
	})
	return d.err
}

// maxImageSide bounds what int32 offsets and the tables have to bear.
const maxImageSide = 1 << 15

func checkImage(img *liveproof.Image) error {
	switch {
	case img == nil:
		return fmt.Errorf("%w: nil", ErrImage)
	case img.Width <= 0 || img.Height <= 0 || img.Width > maxImageSide || img.Height > maxImageSide:
		return fmt.Errorf("%w: %d×%d pixels", ErrImage, img.Width, img.Height)
	case img.Stride < 3*img.Width || len(img.Pix) < (img.Height-1)*img.Stride+3*img.Width:
		return fmt.Errorf("%w: %d bytes, stride %d for %d×%d pixels",
			ErrImage, len(img.Pix), img.Stride, img.Width, img.Height)
	}
	return nil
}
