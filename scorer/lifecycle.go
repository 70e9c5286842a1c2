package scorer

import (
	"context"
	"fmt"
	"sync"
)

// lifecycle allows one Run, which Close ends and waits for.
type lifecycle struct {
	started chan struct{} // closed when Run has begun
	stopped chan struct{} // closed when Run returns

	mu     sync.Mutex
	stop   context.CancelFunc // ends Run; nil before it
	closed bool
}

func newLifecycle() lifecycle {
	return lifecycle{started: make(chan struct{}), stopped: make(chan struct{})}
}

// begin gives Run its context. It refuses a second Run and one after Close.
func (l *lifecycle) begin(ctx context.Context) (context.Context, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.stop != nil {
		return nil, fmt.Errorf("run: %w or runs already", ErrClosed)
	}
	ctx, l.stop = context.WithCancel(ctx)
	return ctx, nil
}

// begun says that crops are scored from now on.
func (l *lifecycle) begun() { close(l.started) }

// returned says that Run has ended.
func (l *lifecycle) returned() { close(l.stopped) }

// end stops Run and waits for it; a later Run is refused. It is idempotent.
func (l *lifecycle) end() {
	l.mu.Lock()
	stop := l.stop
	l.closed = true
	l.mu.Unlock()
	if stop != nil {
		stop()
		<-l.stopped
	}
}
