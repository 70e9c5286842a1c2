package pipeline

import (
	"context"
	"maps"
	"slices"

	"github.com/liveproof/liveproof"
)

// examine shows the frame to the examiners of evidence, and reports whether it may still be scored: not after an error, and not
// with a doubt about the stream. unscored says why the frame would not be scored anyway.
func (l *line) examine(ctx context.Context, f *frame, unscored []liveproof.Reason) bool {
	view := liveproof.View{T: f.sample.T, Image: f.img, Face: f.face, Track: f.sample.Track, Restarts: int(l.restarts.Load()), Reasons: unscored}
	for _, e := range l.deps.Examiners {
		found, err := e.Examine(ctx, view)
		if err != nil {
			l.failed("examine", f, err)
			f.unscored(liveproof.ReasonInternalError)
			return false
		}
		f.add(found)
		l.ask(found.Ask)
	}
	if slices.ContainsFunc(f.sample.Reasons, liveproof.Reason.Doubtful) {
		f.unscored()
		return false
	}
	return true
}

// add puts a finding into the frame's sample.
func (f *frame) add(found liveproof.Finding) {
	s := &f.sample
	s.Evidence = append(s.Evidence, found.Given...)
	s.Reasons = append(s.Reasons, found.Reasons...)
	if len(found.Signals) > 0 && s.Signals == nil {
		s.Signals = make(map[string]float64, len(found.Signals))
	}
	maps.Copy(s.Signals, found.Signals)
}

// mostAsks is how many challenges wait to be told at a time. An examiner asks one after the other.
const mostAsks = 8

// ask hands a challenge to the judge, who tells the observer at once: a challenge does not wait for its sample's score.
func (l *line) ask(c *liveproof.Challenge) {
	if c == nil {
		return
	}
	select {
	case l.asks <- c:
	default: // the judge has stopped, or an examiner asks without end: an untold challenge is not answered, and withholds
	}
}
