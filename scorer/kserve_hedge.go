package scorer

import (
	"context"
	"time"

	"github.com/liveproof/liveproof/scorer/oip"
)

// hedged makes the call, and once more if no answer has come after KServeConfig.Hedge: round robin sends the second one to another server. The
// first answer without an error counts, the other call is cancelled, and the error is that of the call that failed last.
func (b *kserveBackend) hedged(ctx context.Context, call func(context.Context) (*oip.ModelInferResponse, error)) (*oip.ModelInferResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		answer *oip.ModelInferResponse
		err    error
	}
	done := make(chan outcome, 2)
	send := func() {
		go func() {
			answer, err := call(ctx)
			done <- outcome{answer, err}
		}()
	}
	send()
	running := 1
	var hedge <-chan time.Time
	if b.cfg.Hedge > 0 {
		timer := time.NewTimer(b.cfg.Hedge)
		defer timer.Stop()
		hedge = timer.C
	}
	for {
		select {
		case <-hedge:
			send()
			running, hedge = running+1, nil
		case o := <-done:
			if running--; o.err == nil || running == 0 {
				return o.answer, o.err
			}
		}
	}
}
