package detector

import "github.com/liveproof/liveproof"

// rules decides which detections are faces of persons before this camera.
type rules struct {
	minFace         float32 // pixels
	otherMinArea    float32 // share of the followed face's area
	otherConfidence float32
}

func newRules(cfg Config) rules {
	return rules{float32(cfg.MinFace), float32(cfg.OtherMinArea), float32(cfg.OtherConfidence)}
}

// plausible drops, in place, faces that are too small or whose centre is not in
// the picture.
func (r rules) plausible(faces []liveproof.Face, img *liveproof.Image) []liveproof.Face {
	kept := faces[:0]
	for _, f := range faces {
		x, y := centre(f.Box)
		seen := x >= 0 && y >= 0 && x <= float32(img.Width) && y <= float32(img.Height)
		if seen && longerSide(f.Box) >= r.minFace {
			kept = append(kept, f)
		}
	}
	return kept
}

// persons keeps, in place, the followed face and the others that count.
func (r rules) persons(faces []liveproof.Face, primary int) (kept []liveproof.Face, at int) {
	least := r.otherMinArea * faces[primary].Box.Area()
	followed := faces[primary]
	kept = faces[:0]
	for i, f := range faces {
		if i == primary {
			at = len(kept)
			kept = append(kept, followed)
		} else if f.Confidence >= r.otherConfidence && f.Box.Area() >= least {
			kept = append(kept, f)
		}
	}
	return kept, at
}

func centre(b liveproof.Box) (x, y float32) { return (b.X1 + b.X2) / 2, (b.Y1 + b.Y2) / 2 }

func longerSide(b liveproof.Box) float32 { return max(b.Width(), b.Height()) }
