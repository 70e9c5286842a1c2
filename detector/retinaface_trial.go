package detector

import (
	"context"
	"log/slog"
	"math/rand/v2"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// maxConfidenceShift is how much an execution provider may change the confidence of an anchor,
// [0, 1]. bf16 changes it by 0.0001 on real faces, and by 0.03 at the edge of a drawn head,
// where the network is undecided.
const maxConfidenceShift = 0.1

// retinaFaceTrial compares execution providers by the confidences on generated pictures. The
// tests compare boxes and landmarks on real pictures.
type retinaFaceTrial struct {
	worker   *worker
	pictures []*liveproof.Image
}

func newRetinaFaceTrial(cfg Config, rt *onnx.Runtime) (*retinaFaceTrial, error) {
	w, err := newWorker(cfg, rt, nil)
	if err != nil {
		return nil, err
	}
	return &retinaFaceTrial{worker: w, pictures: trialPictures(cfg.Width, cfg.Height)}, nil
}

func (t *retinaFaceTrial) onnx(log *slog.Logger) onnx.Trial {
	return onnx.Trial{
		Network: "retinaface", Pictures: len(t.pictures), Run: t.run, Log: log,
		Limit: func(onnx.Execution) float64 { return maxConfidenceShift },
	}
}

func (t *retinaFaceTrial) run(ctx context.Context, s *onnx.Session, picture int) ([]float32, error) {
	w := t.worker
	w.box.fill(w.in.Data(), t.pictures[picture])
	if err := s.Run(ctx, w.inputs, w.outputs); err != nil {
		return nil, firstRunFailed(w.box, err)
	}
	return append([]float32(nil), w.conf.Data()...), nil
}

// trialPictures are drawn heads, which the network detects as faces, on a dark, a medium and a
// bright background with noise.
func trialPictures(width, height int) []*liveproof.Image {
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the pictures need not be secret
	var pictures []*liveproof.Image
	for _, ground := range []int{40, 120, 200} {
		img := liveproof.NewImage(width, height)
		for y := range height {
			for x := range width {
				for c := range 3 {
					v := head(x-width/2, y-height/2, height/3, ground, 20*(1-c)) + noise.IntN(16)
					img.Pix[y*img.Stride+3*x+c] = byte(min(max(v, 0), 255))
				}
			}
		}
		pictures = append(pictures, img)
	}
	return pictures
}

// head is the brightness at x, y from the middle of a drawn face: an oval of height 2·r with
// dark eyes, brows, nose and mouth, on a background of brightness ground.
func head(x, y, r, ground, tint int) int {
	dark := oval(x-r/3, y+r/6, r/8, r/12) || oval(x+r/3, y+r/6, r/8, r/12) || // eyes
		oval(x-r/3, y+r/3, r/5, r/24) || oval(x+r/3, y+r/3, r/5, r/24) || // brows
		oval(x, y-r/5, r/8, r/20) || oval(x, y-r/2, r/3, r/12) // nose, mouth
	switch {
	case dark:
		return 50 + tint
	case oval(x, y, r*3/4, r):
		return 170 + tint + (x-y)*40/r // lit from one side
	}
	return ground
}

func oval(x, y, a, b int) bool { return x*x*b*b+y*y*a*a < a*a*b*b }
