package scorer

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/liveproof/liveproof/onnx"
)

// shapes is a session that notes the batch sizes of its runs.
type shapes struct {
	session
	mu   sync.Mutex
	seen map[int64]int
}

func (s *shapes) Run(ctx context.Context, inputs, outputs []onnx.Value) error {
	s.mu.Lock()
	s.seen[inputs[0].Shape()[0]]++
	s.mu.Unlock()
	return s.session.Run(ctx, inputs, outputs)
}

// watch puts a shapes before each session of a backend.
func watch(b *onnxBackend) []*shapes {
	var watched []*shapes
	for i, s := range b.networks.sessions {
		w := &shapes{session: s, seen: map[int64]int{}}
		watched, b.networks.sessions[i] = append(watched, w), w
	}
	return watched
}

// The CUDA provider prepares a session anew whenever its shape changes, which takes longer than a hundred
// batches. So a GPU's session must see one shape, from the warm-up on and whichever worker runs it.
func TestEachSessionOfAGPUSeesOneShape(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxBatch, cfg.Workers = 20, 2
	b, err := load(t.Context(), openRuntime(t), readModel(t, "tiny.onnx"), cfg, sizesFor(onnx.ProviderCUDA, cfg.MaxBatch), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	watched := watch(b)
	if err := warmUp(t.Context(), b, b.networks.sizes); err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	for range cfg.Workers {
		workers.Go(func() {
			for n := range cfg.MaxBatch {
				scoreBatch(t, b, n+1)
			}
		})
	}
	workers.Wait()
	want := []map[int64]int{{1: 4}, {4: 8}, {16: 26}, {20: 10}} // each worker: one warm-up, and one run for each number of crops
	for i, w := range watched {
		size := int64(b.networks.sizes.all[i])
		if w.seen[size] != want[i][size] || len(w.seen) != 1 {
			t.Errorf("session %d of sizes %v: runs by shape %v, want %v", i, b.networks.sizes.all, w.seen, want[i])
		}
	}
}

// scoreBatch checks the scores of a batch of n crops.
func scoreBatch(t *testing.T, b *onnxBackend, n int) {
	t.Helper()
	crops, rho := make([]*Crop, n), make([]float32, n)
	for i := range crops {
		crops[i] = lend(t, plain(uint8(10*i)))
	}
	if err := b.Score(t.Context(), crops, rho); err != nil {
		t.Error(err)
		return
	}
	for i, r := range rho {
		if want := float64(10*i) / 255; math.Abs(float64(r)-want) > 1e-3 {
			t.Errorf("batch of %d, crop %d: ρ = %v, want %v", n, i, r, want)
		}
	}
}

// On a CPU a second session would cost memory for nothing.
func TestACPUHasOneSession(t *testing.T) {
	_, backend := loadTiny(t, DefaultConfig())
	defer func() { _ = backend.Close() }()
	watched := watch(backend.(*onnxBackend))
	for n := range DefaultConfig().MaxBatch {
		scoreBatch(t, backend.(*onnxBackend), n+1)
	}
	if len(watched) != 1 || len(watched[0].seen) != DefaultConfig().MaxBatch {
		t.Errorf("%d sessions, the first one's shapes %v", len(watched), watched[0].seen)
	}
}

// closing is a session that counts its ends.
type closing struct {
	session
	closed int
}

func (c *closing) Close() error {
	c.closed++
	return errors.New("cannot be closed")
}

func TestNetworksThatCannotAllBeLoadedAreClosed(t *testing.T) {
	first, fault := &closing{}, errors.New("out of memory")
	loaded := []*closing{{}, {}}
	_, err := newNetworks(first, sizes{all: []int{1, 4, 16, 32}, apart: true}, func() (session, error) {
		at := slices.IndexFunc(loaded, func(c *closing) bool { return c.session == nil })
		if at < 0 {
			return nil, fault
		}
		loaded[at].session = first
		return loaded[at], nil
	})
	if !errors.Is(err, fault) || first.closed != 1 || loaded[0].closed != 1 || loaded[1].closed != 1 {
		t.Errorf("newNetworks = %v; closed %d, %d, %d times", err, first.closed, loaded[0].closed, loaded[1].closed)
	}
}
