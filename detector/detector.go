package detector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

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
	once   sync.Once
	err    error // of closing; written inside once
}

// Open makes the detector. It loads the network from file, which must be the one
// that Model names; any other is refused with ErrModel and the difference, never
// replaced silently. Without a file (nil) it uses the Haar cascade of cfg and
// warns once. Errors wrap ErrModel or ErrNoDetector. rt may be nil without a
// file.
func Open(cfg Config, rt *onnx.Runtime, file []byte, log *slog.Logger) (*Detector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if file == nil {
		return openFallback(cfg, log)
	}
	f, err := current.open(cfg, rt, file, log)
	if err != nil {
		return nil, fmt.Errorf("detector: %s: %w", current.name, err)
	}
	return newDetector(cfg, current.name, f), nil
}

func openFallback(cfg Config, log *slog.Logger) (*Detector, error) {
	f, err := openHaar(cfg)
	if err != nil {
		return nil, fmt.Errorf("detector: no file of %s, and %w", current.model, err)
	}
	log.Warn("no model file of the face detector: using OpenCV's Haar cascade, which misses turned faces and gives no landmarks; "+
		"`liveproof models pull` fetches the file", "model", current.model, "cascade", cfg.Cascade)
	return newDetector(cfg, haarName, f), nil
}

func newDetector(cfg Config, name string, f finder) *Detector {
	return &Detector{cfg: cfg, name: name, finder: f}
}

// Name is recorded with every session: the network's name, or haar.
func (d *Detector) Name() string { return d.name }

// NewStream returns a session's view of the detector, with a track of its own.
func (d *Detector) NewStream() *Stream {
	return &Stream{finder: d.finder, rules: newRules(d.cfg), tracker: newTracker(d.cfg)}
}

// Close waits for the searches in flight and frees the detector; Detect then
// fails with ErrClosed. It is idempotent.
func (d *Detector) Close() error {
	d.once.Do(func() { d.err = d.finder.close() })
	return d.err
}

// Stream finds and follows the face of one session. It is for one goroutine at
// a time and holds nothing that needs closing (4 KB).
type Stream struct {
	finder  finder
	rules   rules
	tracker *tracker
}

// Detect searches img, in the order in which the pictures were taken. A
// picture without a face is no error: Primary is then -1 and Track 0. After an
// error the track stands as before the call.
func (s *Stream) Detect(ctx context.Context, img *liveproof.Image) (liveproof.Detection, error) {
	none := liveproof.Detection{Primary: -1}
	if err := checkImage(img); err != nil {
		return none, err
	}
	faces, err := s.finder.find(ctx, img)
	if err != nil {
		return none, err
	}
	faces = s.rules.plausible(faces, img)
	primary, track := s.tracker.follow(img, faces)
	if primary < 0 {
		return none, nil
	}
	kept, primary := s.rules.persons(faces, primary)
	return liveproof.Detection{Faces: kept, Primary: primary, Track: track}, nil
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
