package extract

import "sync"

// Progress counts videos.
type Progress struct {
	Total   int // videos of this run's shard
	Done    int
	Skipped int // of Done: not read, because they have a record; do not count them for the speed
	Crops   int // written by this run
}

// counter reports progress, one call at a time.
type counter struct {
	mu     sync.Mutex
	now    Progress
	report func(Progress)
}

func newCounter(total int, report func(Progress)) *counter {
	c := &counter{now: Progress{Total: total}, report: report}
	if report != nil {
		report(c.now)
	}
	return c
}

// skip counts a video that was done before.
func (c *counter) skip() { c.count(1, 0) }

// add counts an extracted video.
func (c *counter) add(crops int) { c.count(0, crops) }

func (c *counter) count(skipped, crops int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Done, c.now.Skipped, c.now.Crops = c.now.Done+1, c.now.Skipped+skipped, c.now.Crops+crops
	if c.report != nil {
		c.report(c.now)
	}
}
