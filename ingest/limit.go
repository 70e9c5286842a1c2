package ingest

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// limits is a token bucket per name. It remembers so many names; one that is
// forgotten starts with a full bucket, which only the longest unused ones are.
type limits struct {
	rate    Rate
	now     func() time.Time
	mu      sync.Mutex
	buckets *lru.Cache[string, *rate.Limiter]
}

func newLimits(r Rate, entries int, now func() time.Time) (*limits, error) {
	buckets, err := lru.New[string, *rate.Limiter](entries)
	if err != nil {
		return nil, err
	}
	return &limits{rate: r, now: now, buckets: buckets}, nil
}

func (l *limits) allow(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets.Get(name)
	if !ok {
		b = l.rate.bucket()
		l.buckets.Add(name, b)
	}
	return b.AllowN(l.now(), 1)
}

func (r Rate) bucket() *rate.Limiter { return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst) }
