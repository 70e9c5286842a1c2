package pipeline

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// nearest skips most pictures by their bounds, and finds what a look at all of them finds.
func TestNearestFindsWhatAllComparisonsFind(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noisy := func(c coarse, spread int) coarse {
		for i := range c {
			c[i] = uint8(max(0, min(255, int(c[i])+random.IntN(2*spread+1)-spread)))
		}
		return c
	}
	l := newLoops(64)
	var scene coarse
	for n := range 400 {
		now := time.Duration(n) * time.Second / 30
		if n%50 == 0 {
			scene = noisy(coarse{}, 255)
		}
		cells := noisy(scene, random.IntN(20))
		if n%7 == 3 {
			cells = l.ring[random.IntN(min(l.n, 64))].cells // the same picture again, perhaps several times
		}
		s := shown{now, cells, cells.blockSums()}
		from, to := time.Duration(random.IntN(int(time.Second))), time.Duration(math.MaxInt64)
		if n%2 == 0 {
			to = from + time.Second
		}
		wantLag, want := time.Duration(0), math.Inf(1)
		for _, old := range l.ring[:min(l.n, 64)] {
			if age := now - old.t; age >= from && age <= to {
				if d := distance(&cells, &old.cells, math.Inf(1)); d < want {
					wantLag, want = age, d
				}
			}
		}
		if lag, best := l.nearest(&s, from, to); lag != wantLag || best != want {
			t.Fatalf("picture %d: nearest is %v old, distance %v; want %v, %v", n, lag, best, wantLag, want)
		}
		l.ring[l.n%64] = s
		l.n++
	}
}
