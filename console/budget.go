package console

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A visitor's pages are paid for as requests of the API are (package cost): the longest page that filters can cause costs 200 tokens,
// and a page that is refreshed every 3 s may cost 150 of them.
const (
	tokensPerSecond = 50
	tokensAtOnce    = 400
)

// budget is a token bucket for each scope: operators share one, and each tenant has its own.
type budget struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newBudget(now func() time.Time) *budget {
	return &budget{now: now, buckets: make(map[string]*rate.Limiter)}
}

// allow takes the token that each page costs, if it is there.
func (b *budget) allow(visitor scope) bool { return b.of(visitor).AllowN(b.now(), 1) }

// charge takes what a page has turned out to cost besides. The pages after it wait until it is made up for.
func (b *budget) charge(visitor scope, tokens int) {
	b.of(visitor).ReserveN(b.now(), min(tokens-1, tokensAtOnce))
}

func (b *budget) of(visitor scope) *rate.Limiter {
	name := visitor.Tenant
	if visitor.Choices != nil {
		name = "" // no tenant's name
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buckets[name] == nil {
		b.buckets[name] = rate.NewLimiter(tokensPerSecond, tokensAtOnce)
	}
	return b.buckets[name]
}
