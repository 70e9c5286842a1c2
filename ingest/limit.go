package ingest

import (
	"fmt"
	"math"
	"net/http"
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

func (l *limits) allow(name string) (allowance, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets.Get(name)
	if !ok {
		b = l.rate.bucket()
		l.buckets.Add(name, b)
	}
	now := l.now()
	allowed := b.AllowN(now, 1)
	return allowance{l.rate, b.TokensAt(now)}, allowed
}

// charge takes so many further tokens for a request that was allowed and turned out to cost more. They may be more than there are: the
// requests after it wait until they are made up for.
func (l *limits) charge(name string, tokens int) allowance {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, ok := l.buckets.Get(name)
	if !ok { // forgotten since
		b = l.rate.bucket()
		l.buckets.Add(name, b)
	}
	b.ReserveN(now, min(tokens, l.rate.Burst))
	return allowance{l.rate, b.TokensAt(now)}
}

// allowance is what is left of a limit after a request.
type allowance struct {
	rate   Rate
	tokens float64 // below 0 after a request that cost more than there was
}

// describe sets the fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10): the policy's name, its quota q
// in tokens, of which most requests cost one, and the window w in seconds in which an empty quota becomes full again; what remains of it, r, and the seconds t until
// it is full.
func (a allowance) describe(h http.Header, policy string) {
	full := float64(a.rate.Burst)
	seconds := func(tokens float64) int64 { return int64(math.Ceil(tokens / a.rate.PerSecond)) }
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", policy, a.rate.Burst, max(1, seconds(full))))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", policy, int64(max(0, a.tokens)), seconds(full-a.tokens)))
}

func (r Rate) bucket() *rate.Limiter { return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst) }
