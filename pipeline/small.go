package pipeline

import (
	"slices"

	"github.com/liveproof/liveproof"
)

// smallRun is how many samples in a row must show a face that is too small or too coarse before the source is
// asked for larger pictures: who only leans back for a moment, or whose stream has just begun, is not worth a restart of the
// evidence, which another stream brings.
const smallRun = 3

// smallness follows whether the face has too little detail to be scored, which a larger layer would bring: it has more pixels, and
// senders give it more bits.
type smallness struct{ run int }

// observe takes the next sample and reports whether larger pictures are needed. Samples that say
// nothing about the face's detail (no face, overload) neither add to the run nor end it.
func (m *smallness) observe(s liveproof.Sample) (larger bool) {
	switch {
	case s.Scored || slices.Contains(s.Reasons, liveproof.ReasonStreamChanged):
		m.run = 0
	case slices.Contains(s.Reasons, liveproof.ReasonFaceTooSmall), slices.Contains(s.Reasons, liveproof.ReasonLowBitrate):
		m.run++
		return m.run >= smallRun
	}
	return false
}
