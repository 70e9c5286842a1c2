package detector

import (
	"errors"
	"math"
	"os"
	"testing"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// On real pictures another provider must find the same faces in the same places. Measured with
// bf16 on 21 faces: IoU at least 0.975, confidence within 0.0001, landmarks within 0.7 % of the face.
func TestProvidersFindTheSameFaces(t *testing.T) {
	plain := onProvider(t, onnx.ProviderCPU)
	other := onProvider(t, onnx.ProviderOpenVINO)
	worst := difference{iou: 1}
	faces := 0
	for _, file := range []string{personA, personB, headpose} {
		for _, img := range clip(t, file, 45) {
			want, err := plain.finder.find(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			got, err := other.finder.find(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			for _, face := range want {
				if face.Confidence < 0.9 { // a doubtful face may be lost
					continue
				}
				faces++
				worst = worst.with(face, got)
			}
		}
	}
	t.Logf("%d faces: least IoU %.4f, confidence moves by up to %.4f, landmarks by up to %.4f of the face's longer side",
		faces, worst.iou, worst.confidence, worst.landmarks)
	if faces < 20 {
		t.Fatalf("%d faces are too few to judge", faces)
	}
	if worst.iou < 0.95 || worst.confidence > 0.05 || worst.landmarks > 0.02 {
		t.Errorf("the providers differ: %+v", worst)
	}
}

func onProvider(t *testing.T, p onnx.Provider) *Detector {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Provider = p
	file, err := os.ReadFile(sharedFile(t, "models", "retinaface_mobilenet025.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(cfg, testRuntime(t), file, NewMetrics(nil), quiet())
	if errors.Is(err, onnx.ErrProvider) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// difference is the largest of all faces.
type difference struct {
	iou                   float64
	confidence, landmarks float64
}

// with adds the difference between a face and the most similar one that the other provider found.
func (d difference) with(face liveproof.Face, others []liveproof.Face) difference {
	best, at := 0., -1
	for i, other := range others {
		if iou := float64(face.Box.IoU(other.Box)); iou > best {
			best, at = iou, i
		}
	}
	d.iou = min(d.iou, best)
	if at < 0 {
		return d
	}
	d.confidence = max(d.confidence, math.Abs(float64(face.Confidence-others[at].Confidence)))
	side := float64(max(face.Box.X2-face.Box.X1, face.Box.Y2-face.Box.Y1))
	for i, mark := range face.Landmarks {
		other := others[at].Landmarks[i]
		d.landmarks = max(d.landmarks, math.Hypot(float64(mark.X-other.X), float64(mark.Y-other.Y))/side)
	}
	return d
}
