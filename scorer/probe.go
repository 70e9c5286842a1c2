package scorer

import (
	"context"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// probe scores a grey crop at every probe_interval with each model that is not
// ready. Otherwise nothing would notice that the model works again.
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

// probeOne scores one crop. The worker tells the model's health the outcome.
func (b *Batcher) probeOne(ctx context.Context, m *loaded, grey *liveproof.Image) {
	defer b.models.endProbe(m)
	m.retain() // the use that the item owns
	it := newItem(ctx, m, "", &Crop{picture: grey})
	it.probe = true
	_, _ = b.score(ctx, it)
}
