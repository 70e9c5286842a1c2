package scorer

import (
	"math"
	"sync"
	"time"
)

// loadOver is the time constant with which the load is averaged.
const loadOver = 5 * time.Second

// workload is the scorer's work of the last seconds: sums over runs of the network, in which older runs count
// exponentially less.
type workload struct {
	mu   sync.Mutex
	at   time.Time
	sums runs
}

// runs are sums over runs of n crops and s seconds: of 1, n, s, n² and n·s.
type runs struct{ one, n, s, nn, ns float64 }

func (r *runs) add(n, s float64) {
	r.one++
	r.n += n
	r.s += s
	r.nn += n * n
	r.ns += n * s
}

// ran counts a run that has ended.
func (l *workload) ran(now time.Time, crops int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.age(now)
	l.sums.add(float64(crops), took.Seconds())
}

func (l *workload) age(now time.Time) {
	keep := math.Exp(-max(now.Sub(l.at).Seconds(), 0) / loadOver.Seconds())
	l.at = now
	for _, sum := range []*float64{&l.sums.one, &l.sums.n, &l.sums.s, &l.sums.nn, &l.sums.ns} {
		*sum *= keep
	}
}

// utilisation is the rate of crops in the last seconds, as a share of the rate at which the workers could
// score full batches. The share of time in which workers are busy would be wrong: a GPU that runs single
// crops is always busy, but could score eight at once in little more time.
func (l *workload) utilisation(now time.Time, workers, maxBatch int) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.age(now)
	if l.sums.n < 1e-6 {
		return 0
	}
	fixed, perCrop := l.sums.fit()
	perFullBatch := fixed/float64(maxBatch) + perCrop // seconds a crop
	return l.sums.n / loadOver.Seconds() * perFullBatch / float64(workers)
}

// fit gives the line s = fixed + perCrop·n by least squares, neither of them below 0. While all batches have
// the same size, all time counts as the crops', so that a full batch never looks faster than it is.
func (r runs) fit() (fixed, perCrop float64) {
	perCrop = r.s / r.n
	if spread := r.one*r.nn - r.n*r.n; spread > 1e-9*r.one*r.nn {
		perCrop = min(max((r.one*r.ns-r.n*r.s)/spread, 0), perCrop)
	}
	return max(r.s-perCrop*r.n, 0) / r.one, perCrop
}
