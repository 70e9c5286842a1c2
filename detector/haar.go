package detector

import (
	"context"
	"fmt"
	"image"
	"runtime"

	"gocv.io/x/gocv"

	"github.com/liveproof/liveproof"
)

// How the cascade searches. The picture is reduced first, because its time
// grows with the number of pixels and a usable face is a large part of it.
const (
	haarLongSide  = 320 // of the reduced picture
	haarScale     = 1.2
	haarNeighbors = 4
	haarMinFace   = 36 // in the reduced picture
	// haarConfidence is given to every face: the cascade knows none.
	haarConfidence = 0.9
)

// haarName is recorded with every session whose faces the cascade found.
const haarName = "haar"

// haarFinder searches with OpenCV's cascade classifier.
type haarFinder struct{ workers *pool[*haarWorker] }

// haarWorker holds one classifier, which OpenCV allows one thread at a time.
type haarWorker struct {
	cascade gocv.CascadeClassifier
	grey    []byte
	box     greyReducer
}

func openHaar(cfg Config) (*haarFinder, error) {
	if err := checkCascade(cfg.Cascade); err != nil {
		return nil, fmt.Errorf("%w: cascade: %w (Debian's package opencv-data has it)", ErrNoDetector, err)
	}
	workers, err := newPool(cfg.parallel(), func() (*haarWorker, error) { return newHaarWorker(cfg.Cascade) })
	if err != nil {
		return nil, err
	}
	return &haarFinder{workers}, nil
}

func newHaarWorker(path string) (*haarWorker, error) {
	w := &haarWorker{cascade: gocv.NewCascadeClassifier()}
	if !w.cascade.Load(path) {
		_ = w.Close()
		return nil, fmt.Errorf("%w: cascade: OpenCV cannot load %s", ErrNoDetector, path)
	}
	return w, nil
}

// Close frees the classifier.
func (w *haarWorker) Close() error { return w.cascade.Close() }

func (h *haarFinder) close() error { return h.workers.Close() }

func (h *haarFinder) find(ctx context.Context, img *liveproof.Image) ([]liveproof.Face, error) {
	w, err := h.workers.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer h.workers.release(w)
	return w.find(img)
}

func (w *haarWorker) find(img *liveproof.Image) ([]liveproof.Face, error) {
	width, height := w.box.prepare(img)
	if width < haarMinFace || height < haarMinFace {
		return nil, nil
	}
	w.grey = w.box.reduce(w.grey, img)
	rects, err := w.detect(width, height)
	if err != nil {
		return nil, fmt.Errorf("cascade of Haar: %w", err)
	}
	sx, sy := float32(img.Width)/float32(width), float32(img.Height)/float32(height)
	faces := make([]liveproof.Face, 0, len(rects))
	for _, r := range rects {
		faces = append(faces, liveproof.Face{Box: haarBox(r, sx, sy), Confidence: haarConfidence})
	}
	return faces, nil
}

func (w *haarWorker) detect(width, height int) ([]image.Rectangle, error) {
	var pin runtime.Pinner // OpenCV keeps the address in the Mat
	pin.Pin(&w.grey[0])
	defer pin.Unpin()
	mat, err := gocv.NewMatFromBytes(height, width, gocv.MatTypeCV8U, w.grey)
	if err != nil {
		return nil, err
	}
	defer func() { _ = mat.Close() }()
	least := image.Pt(haarMinFace, haarMinFace)
	return w.cascade.DetectMultiScaleWithParams(mat, haarScale, haarNeighbors, 0, least, image.Point{}), nil
}

// haarBox turns the cascade's square into a box like the network's, from
// forehead to chin, so that the crop shows the same part of the head.
func haarBox(r image.Rectangle, sx, sy float32) liveproof.Box {
	side := float32(r.Dx())
	cx, cy := float32(r.Min.X)+side/2, float32(r.Min.Y)+side/2
	w, h := haarWidth*side, haarHeight*side
	return liveproof.Box{X1: (cx - w/2) * sx, Y1: (cy - h/2) * sy, X2: (cx + w/2) * sx, Y2: (cy + h/2) * sy}
}

// RetinaFace's box in shares of the cascade's side, about the same centre:
// medians over 180 portraits, where the centres differ by less than 0.01.
const (
	haarWidth  = 0.80
	haarHeight = 1.07
)

// greyReducer turns pictures into small luma pictures.
type greyReducer struct {
	srcWidth, srcHeight int
	width, height       int
	xs, ys              []uint32
}

// prepare makes the tables and returns the reduced size.
func (g *greyReducer) prepare(img *liveproof.Image) (width, height int) {
	if g.srcWidth != img.Width || g.srcHeight != img.Height {
		g.srcWidth, g.srcHeight = img.Width, img.Height
		s := min(1, haarLongSide/float64(max(img.Width, img.Height)))
		g.width, g.height = max(1, int(s*float64(img.Width))), max(1, int(s*float64(img.Height)))
		g.xs = sampleTable(g.xs[:0], img.Width, g.width, 3)
		g.ys = sampleTable(g.ys[:0], img.Height, g.height, 1)
	}
	return g.width, g.height
}

// reduce writes the luma picture into dst, which it grows if needed.
func (g *greyReducer) reduce(dst []byte, img *liveproof.Image) []byte {
	dst = sized(dst, g.width*g.height)
	for y := range g.height {
		upper, lower := img.Pix[int(g.ys[y])*img.Stride:], img.Pix[int(g.ys[g.height+y])*img.Stride:]
		row := dst[y*g.width : (y+1)*g.width]
		for x := range row {
			i, j := g.xs[x], g.xs[g.width+x]
			row[x] = byte((lumaAt(upper, i) + lumaAt(upper, j) + lumaAt(lower, i) + lumaAt(lower, j)) / 4)
		}
	}
	return dst
}

func lumaAt(row []byte, i uint32) int {
	p := row[i : i+3 : i+3]
	return luma(p[0], p[1], p[2])
}
