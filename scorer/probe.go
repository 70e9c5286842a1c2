package scorer

import (
	"context"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// probe scores a grey crop now and then with each model that is not ready:
// without it nothing would find out that the model works again.
func (b *Batcher) probe(ctx context.Context) {
	grey := greyPicture()
	ticker := time.NewTicker(b.cfg.ProbeInterval)
	defer ticker.Stop()
	var probes sync.WaitGroup
	defer probes.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, m := range b.models.takeUnready() {
			probes.Go(func() { b.probeOne(ctx, m, grey) })
		}
	}
}

// probeOne leaves the outcome to the model's health, which the worker tells.
func (b *Batcher) probeOne(ctx context.Context, m *loaded, grey *liveproof.Image) {
	defer b.models.endProbe(m)
	m.retain() // the item's
	it := newItem(ctx, m, "", &Crop{picture: grey})
	it.probe = true
	_, _ = b.score(ctx, it)
}
