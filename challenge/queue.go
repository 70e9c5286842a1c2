package challenge

import (
	"context"

	"github.com/liveproof/liveproof"
)

// Queue is several kinds of challenge of one session, one after the other: a person cannot do two at once.
type Queue []*Asker

// Examine shows the view to the first kind whose evidence is not given.
func (q Queue) Examine(ctx context.Context, v liveproof.View) (found liveproof.Finding, err error) {
	for _, a := range q {
		found, err = a.Examine(ctx, v)
		if err != nil || !a.passed || len(found.Given) > 0 {
			return found, err
		}
	}
	return found, nil
}
