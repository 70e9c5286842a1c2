package onnx

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const pixels = 224 * 224 * 3

func loadTiny(t testing.TB, opt SessionOptions) (*Runtime, *Session) {
	t.Helper()
	r := openRuntime(t, DefaultConfig())
	s, err := r.Load(readModel(t, "tiny.onnx"), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return r, s
}

func fill(data []uint8, v uint8) {
	for i := range data {
		data[i] = v
	}
}

func TestLoadDescribesTheNetwork(t *testing.T) {
	_, s := loadTiny(t, SessionOptions{})
	if got := s.Inputs()[0].String(); got != "faces uint8[-1 224 224 3]" {
		t.Errorf("input = %s", got)
	}
	if got := s.Outputs()[0].String(); got != "rho float32[-1]" {
		t.Errorf("output 0 = %s", got)
	}
	if got := s.Outputs()[1].String(); got != "probabilities float32[-1 11]" {
		t.Errorf("output 1 = %s", got)
	}
	if got := s.Metadata()["liveproof.schema"]; got != "1" {
		t.Errorf("metadata = %v", s.Metadata())
	}
}

func TestRunReusesTensors(t *testing.T) {
	r, s := loadTiny(t, SessionOptions{Outputs: []string{"rho"}})
	faces, rho := newTestTensor[uint8](t, r, 2, 224, 224, 3), newTestTensor[float32](t, r, 2)
	for _, v := range []uint8{0, 51, 255} {
		fill(faces.Data()[:pixels], v)
		fill(faces.Data()[pixels:], 255-v)
		if err := s.Run(t.Context(), []Value{faces}, []Value{rho}); err != nil {
			t.Fatal(err)
		}
		want := float64(v) / 255
		if got := rho.Data(); math.Abs(float64(got[0])-want) > 1e-5 || math.Abs(float64(got[1])-(1-want)) > 1e-5 {
			t.Errorf("rho = %v, want %v and %v", got, want, 1-want)
		}
	}
}

func TestRunRefusesWrongTensors(t *testing.T) {
	r, s := loadTiny(t, SessionOptions{Outputs: []string{"rho"}})
	faces, rho := newTestTensor[uint8](t, r, 1, 224, 224, 3), newTestTensor[float32](t, r, 1)
	small, two := newTestTensor[uint8](t, r, 1, 112, 112, 3), newTestTensor[float32](t, r, 2)
	cases := map[string][2][]Value{
		"no inputs":        {nil, {rho}},
		"too many outputs": {{faces}, {rho, rho}},
		"input shape":      {{small}, {rho}},
		"output shape":     {{faces}, {two}},
		"input type":       {{newTestTensor[float32](t, r, 1, 224, 224, 3)}, {rho}},
	}
	for name, c := range cases {
		if err := s.Run(t.Context(), c[0], c[1]); err == nil {
			t.Errorf("%s: run without error", name)
		}
	}
}

func TestRunHonoursTheContext(t *testing.T) {
	r, s := loadTiny(t, SessionOptions{Outputs: []string{"rho"}})
	stopsWithItsContext(t, r, s)
}

// stopsWithItsContext checks that a run ends with its context, and that the session then still runs.
func stopsWithItsContext(t *testing.T, r *Runtime, s *Session) {
	t.Helper()
	faces, rho := newTestTensor[uint8](t, r, 8, 224, 224, 3), newTestTensor[float32](t, r, 8)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		for {
			if err := s.Run(ctx, []Value{faces}, []Value{rho}); err != nil {
				done <- err
				return
			}
		}
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, want context.Canceled", err)
	}
	if err := s.Run(t.Context(), []Value{faces}, []Value{rho}); err != nil {
		t.Fatalf("the next run: %v", err)
	}
}

func TestRunConcurrently(t *testing.T) {
	r, s := loadTiny(t, SessionOptions{Outputs: []string{"rho"}})
	var wg sync.WaitGroup
	for i := range 4 {
		faces, rho := newTestTensor[uint8](t, r, 1, 224, 224, 3), newTestTensor[float32](t, r, 1)
		fill(faces.Data(), uint8(60*i))
		wg.Go(func() {
			for range 20 {
				err := s.Run(t.Context(), []Value{faces}, []Value{rho})
				if want := float64(60*i) / 255; err != nil || math.Abs(float64(rho.Data()[0])-want) > 1e-5 {
					t.Errorf("rho = %v, %v; want %v", rho.Data(), err, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestLoadRefusesWhatIsNoModel(t *testing.T) {
	r := openRuntime(t, DefaultConfig())
	whole := readModel(t, "tiny.onnx")
	cases := map[string][]byte{
		"empty": nil, "text": []byte("not a model"), "truncated": whole[:len(whole)/2],
	}
	for name, data := range cases {
		if s, err := r.Load(data, SessionOptions{}); !errors.Is(err, ErrModel) || s != nil {
			t.Errorf("%s: Load = %v, %v; want ErrModel", name, s, err)
		}
	}
	_, err := r.Load(whole, SessionOptions{Outputs: []string{"593"}})
	if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), `no output "593", it has rho, probabilities`) {
		t.Errorf("unknown output: %v", err)
	}
}

// This machine's library may have the GPU providers; then there is nothing to refuse.
func TestProviderFailureSaysWhatToDo(t *testing.T) {
	r := openRuntime(t, DefaultConfig())
	for _, p := range []Provider{ProviderCUDA, ProviderTensorRT} {
		s, err := r.Load(readModel(t, "tiny.onnx"), SessionOptions{Provider: p})
		if err == nil {
			_ = s.Close()
			t.Skipf("%s works here", p)
		}
		if !errors.Is(err, ErrProvider) || !strings.Contains(err.Error(), "onnx.provider to cpu") {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestEnvironmentIsReferenceCounted(t *testing.T) {
	first := openRuntime(t, DefaultConfig())
	second := openRuntime(t, DefaultConfig())
	s, err := second.Load(readModel(t, "tiny.onnx"), SessionOptions{Outputs: []string{"rho"}})
	if err != nil {
		t.Fatal(err)
	}
	faces, rho := newTestTensor[uint8](t, second, 1, 224, 224, 3), newTestTensor[float32](t, second, 1)
	for range 2 { // Close is idempotent: twice must not take another's reference
		_, _ = first.Close(), second.Close()
	}
	if err := s.Run(t.Context(), []Value{faces}, []Value{rho}); err != nil {
		t.Fatalf("a session must outlive its runtime's Close: %v", err)
	}
	_, _, _ = s.Close(), faces.Close(), rho.Close()
	if shared.refs != 0 || len(shared.pins) != 0 {
		t.Fatalf("%d references and %d pins are left", shared.refs, len(shared.pins))
	}
	if _, err := second.Load(readModel(t, "tiny.onnx"), SessionOptions{}); !errors.Is(err, ErrClosed) {
		t.Fatalf("Load after Close = %v, want ErrClosed", err)
	}
	loadTiny(t, SessionOptions{}) // the library loads again
}

func TestSecondLibraryIsRefused(t *testing.T) {
	openRuntime(t, DefaultConfig())
	cfg := DefaultConfig()
	cfg.Library = touch(t, t.TempDir(), "libonnxruntime.so")
	if _, err := Open(cfg); !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), "loaded already") {
		t.Fatalf("Open = %v", err)
	}
}

func TestRunAfterCloseFails(t *testing.T) {
	r, s := loadTiny(t, SessionOptions{Outputs: []string{"rho"}})
	faces, rho := newTestTensor[uint8](t, r, 1, 224, 224, 3), newTestTensor[float32](t, r, 1)
	_, _ = s.Close(), s.Close()
	if err := s.Run(t.Context(), []Value{faces}, []Value{rho}); !errors.Is(err, ErrClosed) {
		t.Fatalf("Run after Close = %v, want ErrClosed", err)
	}
}

func TestTensorShapes(t *testing.T) {
	r := openRuntime(t, DefaultConfig())
	for _, shape := range [][]int64{{}, {0}, {2, -1}, {1 << 20, 1 << 20, 1 << 30}} {
		if _, err := NewTensor[float32](r, shape...); err == nil {
			t.Errorf("shape %v: no error", shape)
		}
	}
}

// A tensor that somebody forgot to close must not end the process.
func TestForgottenTensorIsNoPanic(t *testing.T) {
	r := openRuntime(t, DefaultConfig())
	if _, err := NewTensor[uint8](r, 1<<20); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		runtime.GC()
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.refs-- // the test's own tidying up
	for p := range shared.pins {
		p.Unpin()
		delete(shared.pins, p)
	}
}

func TestTensorsShareABuffer(t *testing.T) {
	r, s := loadTiny(t, SessionOptions{Outputs: []string{"rho"}})
	buffer := make([]uint8, 2*pixels)
	one, err := NewTensorOver(r, buffer, 1, 224, 224, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	fill(buffer, 255)
	rho := newTestTensor[float32](t, r, 1)
	if err := s.Run(t.Context(), []Value{one}, []Value{rho}); err != nil || rho.Data()[0] < 0.999 {
		t.Fatalf("rho = %v, %v", rho.Data(), err)
	}
	if _, err := NewTensorOver(r, buffer, 3, 224, 224, 3); err == nil {
		t.Fatal("a tensor larger than its buffer")
	}
}

func BenchmarkRunOverhead(b *testing.B) {
	r, s := loadTiny(b, SessionOptions{Outputs: []string{"rho"}})
	faces, rho := newTestTensor[uint8](b, r, 1, 224, 224, 3), newTestTensor[float32](b, r, 1)
	in, out := []Value{faces}, []Value{rho}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Run(ctx, in, out); err != nil {
			b.Fatal(err)
		}
	}
}
