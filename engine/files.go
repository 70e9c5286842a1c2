package engine

import (
	"context"
	"sync"
	"sync/atomic"
)

// Judged is the result of one file of JudgeFiles.
type Judged struct {
	Path string
	Report
	Err error // why the report is inconclusive before its end
}

// JudgeFiles judges files, up to jobs at once, and hands each result to done,
// one call at a time and in the order of paths. It never fails as a whole: the
// error of a file is in its result.
func (e *Engine) JudgeFiles(ctx context.Context, paths []string, jobs int, done func(Judged), options ...FileOption) {
	results := make([]chan Judged, len(paths))
	for i := range results {
		results[i] = make(chan Judged, 1)
	}
	var next atomic.Int64
	take := func() int { return int(next.Add(1)) - 1 }
	var workers sync.WaitGroup
	for range max(1, min(jobs, len(paths))) {
		workers.Go(func() {
			for i := take(); i < len(paths); i = take() {
				report, err := e.JudgeFile(ctx, paths[i], options...)
				results[i] <- Judged{paths[i], report, err}
			}
		})
	}
	for _, result := range results {
		done(<-result)
	}
	workers.Wait()
}
