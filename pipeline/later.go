package pipeline

import (
	"slices"

	"github.com/liveproof/liveproof"
)

// late keeps identity's findings that come after their views have gone on. The crop stage and the judge each have one: the first tells
// examiners of another person, the second the verdict.
type late struct {
	awaited  []*liveproof.Later // in the order of the views
	restarts int                // how many of those that were heard say that the person may be another
	open     bool               // the newest one cannot say whether the person is the same
}

// await adds the newest view's finding; nil adds nothing.
func (l *late) await(next *liveproof.Later) {
	if next != nil {
		l.awaited = append(l.awaited, next)
	}
}

// unsettled reports whether no decision may rest on the newest view.
func (l *late) unsettled() bool { return l.open || len(l.awaited) > 0 }

// next is closed when the oldest one is told; nil where none is awaited.
func (l *late) next() <-chan struct{} {
	if len(l.awaited) == 0 {
		return nil
	}
	return l.awaited[0].Told()
}

// hear gives what was told since the last call, in the order of the views.
func (l *late) hear() (heard []liveproof.Finding) {
	for len(l.awaited) > 0 {
		found, told := l.awaited[0].Finding()
		if !told {
			break
		}
		l.awaited = l.awaited[1:]
		heard = append(heard, found)
		l.open = found.Unsettled
		if slices.ContainsFunc(found.Reasons, changesPerson) {
			l.restarts++
		}
	}
	return heard
}
