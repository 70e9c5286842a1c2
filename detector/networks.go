package detector

import (
	"context"
	"log/slog"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// current is the network that finds faces. To use another one, add a file
// beside retinaface.go and name the network here.
var current = retinaFaceNetwork

// network is a face detector that is read from a model file.
type network struct {
	// name is recorded with every session.
	name string
	// model is the file's name in the catalogue.
	model string
	// open checks the file, and refuses any other network with ErrModel. It returns a finder for whole
	// pictures, then one for each size of region, and what runs them.
	open func(cfg Config, rt *onnx.Runtime, file []byte, regions []Size, log *slog.Logger) ([]finder, onnx.Execution, error)
}

// finder finds the faces of single pictures. It is safe for concurrent use.
type finder interface {
	// find returns the faces in pixels of img, most confident first. The
	// landmarks are nil where the detector gives none.
	find(ctx context.Context, img *liveproof.Image) ([]liveproof.Face, error)
	close() error
}

// Model is the name, in the model catalogue, of the file that Open needs.
func Model() string { return current.model }
