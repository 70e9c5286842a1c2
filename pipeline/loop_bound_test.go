package pipeline

import (
	"math/rand/v2"
	"testing"
)

// The bound skips only pictures that the distance itself would refuse.
func TestBlockSumsBoundTheDistance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	skipped := 0
	for range 2000 {
		var a, b coarse
		spread := 1 + random.IntN(60)
		for i := range a {
			a[i] = uint8(random.IntN(256))
			b[i] = uint8(max(0, min(255, int(a[i])+random.IntN(2*spread+1)-spread/2)))
		}
		d := distance(&a, &b, 1e9)
		sa, sb := a.blockSums(), b.blockSums()
		if sa.farther(&sb, d) {
			t.Fatalf("distance %v is called farther than itself", d)
		}
		if sa.farther(&sb, d/3) {
			skipped++
		}
	}
	if skipped < 1000 {
		t.Errorf("the bound skips %d of 2000 pictures that are three times as far as allowed", skipped)
	}
}
