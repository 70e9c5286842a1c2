package scorer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestSwapWaitsForTheOldModelsBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := slow(time.Second), slow(time.Millisecond)
		old.name, next.name = "old", "next"
		b, _ := startBatcher(t, DefaultConfig(), old)
		a := newAnswers()
		a.ask(t.Context(), b, "before", "a", 51)
		synctest.Wait()
		if err := b.Swap(next); err != nil {
			t.Fatal(err)
		}
		if b.Info().Name != "next" || old.closed.Load() != 0 {
			t.Errorf("model %s, old one closed %d times during its batch", b.Info().Name, old.closed.Load())
		}
		a.wg.Wait()
		synctest.Wait()
		if a.errs["before"] != nil || old.closed.Load() != 1 {
			t.Errorf("the old batch: %v; old model closed %d times", a.errs["before"], old.closed.Load())
		}
		if _, err := scoreOnce(t.Context(), b, "a", plain(1)); err != nil || len(next.batches()) != 1 {
			t.Errorf("after the swap: %v, %d batches on the new model", err, len(next.batches()))
		}
	})
}

// Two batches run on the old model: the first to end must not close it under the other.
func TestSwapClosesAfterTheLastBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 1
		old := &fakeBackend{lanes: 2, run: func(_ context.Context, crops []*Crop, _ []float32) error {
			time.Sleep(time.Duration(firstByte(crops[0])) * time.Millisecond)
			return nil
		}}
		b, _ := startBatcher(t, cfg, old)
		a := newAnswers()
		a.ask(t.Context(), b, "short", "a", 100)
		a.ask(t.Context(), b, "long", "b", 200)
		synctest.Wait()
		if err := b.Swap(&fakeBackend{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Millisecond)
		if n := old.closed.Load(); n != 0 {
			t.Errorf("closed %d times under a running batch", n)
		}
		a.wg.Wait()
		synctest.Wait()
		if n := old.closed.Load(); n != 1 {
			t.Errorf("closed %d times after its last batch", n)
		}
	})
}

func TestSwapHealsAndRefusesAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		old, next := failing(math.MaxInt32, broken), &fakeBackend{}
		b, _ := startBatcher(t, cfg, old)
		for range cfg.FailureThreshold {
			_, _ = scoreOnce(t.Context(), b, "a", plain(1))
			synctest.Wait()
		}
		if b.Ready() == nil {
			t.Fatal("ready")
		}
		if err := b.Swap(next); err != nil || b.Ready() != nil || old.closed.Load() != 1 {
			t.Fatalf("Swap = %v, Ready = %v", err, b.Ready())
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.Swap(&fakeBackend{}); !errors.Is(err, ErrClosed) {
			t.Errorf("Swap after Close = %v", err)
		}
	})
}

func TestSwapIsRefusedWhileTooManyModelsAreInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, reg := startBatcher(t, DefaultConfig(), constant("0", 0, 0))
		synctest.Wait() // it runs
		var pins []*Pinned
		for n := 1; n < maxModels; n++ {
			pins = append(pins, pin(t, b))
			if err := b.Swap(constant(fmt.Sprint(n), 0, 0)); err != nil {
				t.Fatal(err)
			}
		}
		extra := constant("extra", 1, 0)
		if err := b.Swap(extra); !errors.Is(err, ErrModels) || extra.closed.Load() != 0 {
			t.Errorf("Swap = %v, closed %d times", err, extra.closed.Load())
		}
		// Replace must not even load: with no runtime it would panic.
		if err := b.Replace(t.Context(), nil, Model{}); !errors.Is(err, ErrModels) {
			t.Errorf("Replace = %v", err)
		}
		if b.Ready() != nil || value(t, reg, "models", "") != maxModels {
			t.Errorf("Ready = %v with %v models", b.Ready(), value(t, reg, "models", ""))
		}
		pins[1].Release()
		if err := b.Swap(extra); err != nil {
			t.Errorf("Swap after a release = %v", err)
		}
		pins[0].Release()
		if n := value(t, reg, "models", ""); n != 1 {
			t.Errorf("%v models: a model without pins must be freed by the swap, the other one by its release", n)
		}
	})
}

// TestSwapOfRealModelsMidSession: the new model has another threshold and half the score;
// a pinned session keeps those of the old one.
func TestSwapOfRealModelsMidSession(t *testing.T) {
	rt, backend := loadTiny(t, DefaultConfig())
	b, reg := startBatcher(t, DefaultConfig(), backend)
	before := pin(t, b)
	if err := b.Replace(t.Context(), rt, halved(t)); err != nil {
		t.Fatal(err)
	}
	after := pin(t, b)
	for want, p := range map[float64]*Pinned{200. / 255: before, 100. / 255: after} {
		if rho, err := p.Score(t.Context(), "a", plain(200)); err != nil || math.Abs(rho-want) > 1e-4 {
			t.Errorf("threshold %v: Score = %v, %v; want %v", p.Info().Threshold, rho, err, want)
		}
	}
	if before.Info().Threshold != .5 || after.Info().Threshold != .7 || before.Info().SHA256 == after.Info().SHA256 {
		t.Errorf("models %+v and %+v", before.Info(), after.Info())
	}
	before.Release()
	after.Release()
	if n := value(t, reg, "models", ""); n != 1 {
		t.Errorf("%v models", n)
	}
}

// halved is tiny.onnx with the threshold 0.7 instead of 0.5 and half its scores.
func halved(t *testing.T) Model {
	m := readModel(t, "tiny.onnx")
	for old, changed := range map[string]string{"\x080.500000": "\x080.700000", "\x00\x00\x7f\x43": "\x00\x00\xff\x43"} { // 255 → 510
		if bytes.Count(m.Data, []byte(old)) != 1 {
			t.Fatalf("tiny.onnx has changed: %q is not there once", old)
		}
		m.Data = bytes.Replace(m.Data, []byte(old), []byte(changed), 1)
	}
	return m
}
