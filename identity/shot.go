package identity

import (
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// shot is what the rules need of one view.
type shot struct {
	t       time.Duration
	track   int
	cut     liveproof.Cut
	scored  bool // if nothing else forbids it
	aligned bool // the face can be compared
	sight   sight

	at      similarity       // of an aligned face
	picture *liveproof.Image // borrowed; nil once the view has gone on
	face    *face            // for the embedder; nil until it is cut out
}

// see describes a view.
func see(v liveproof.View) *shot {
	s := &shot{t: v.T, track: v.Track, cut: v.Cut, scored: len(v.Reasons) == 0, picture: v.Image}
	if !isComparable(v) {
		return s
	}
	if s.at, s.aligned = alignment(v.Face.Landmarks); s.aligned {
		s.sight = sight{t: v.T, look: appearanceOf(v.Image, s.at), scene: sceneOf(v.Image)}
	}
	return s
}

// isComparable reports whether the face is seen well enough to be compared.
func isComparable(v liveproof.View) bool {
	return v.Face.Landmarks != nil && frontal(v.Face.Landmarks) && !slices.ContainsFunc(v.Reasons, func(r liveproof.Reason) bool {
		switch r {
		case liveproof.ReasonFaceCutOff, liveproof.ReasonFaceTurned, liveproof.ReasonTooDark, liveproof.ReasonOverexposed, liveproof.ReasonBlurred:
			return true
		}
		return false
	})
}

// cutOut is the aligned face for the embedder.
func (s *shot) cutOut() *face {
	if s.face == nil {
		s.face = faceOf(s.picture, s.at)
	}
	return s.face
}

// keep makes the shot independent of the picture, which is borrowed until Examine returns.
func (s *shot) keep() {
	if s.aligned {
		s.cutOut()
	}
	s.picture = nil
}
