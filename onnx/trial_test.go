package onnx

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
)

// fakeSession returns a fixed value, and advances the fake clock.
type fakeSession struct {
	provider Provider
	takes    int // ms
	value    float32
	err      error
	closed   int
}

func (f *fakeSession) Execution() Execution { return Execution{f.provider, PrecisionFP32} }
func (f *fakeSession) Close() error         { f.closed++; return nil }

func TestSelection(t *testing.T) {
	broken := errors.New("broken")
	network := errors.New("the network is at fault")
	cases := []struct {
		name        string
		wanted      Provider
		plain       fakeSession
		other       fakeSession
		loadPlain   error
		loadOther   error
		want        Provider // "" for an error
		wantErr     error
		log, notLog string
	}{
		{name: "auto: OpenVINO wins", wanted: ProviderAuto, plain: fakeSession{takes: 10}, other: fakeSession{takes: 5},
			want: ProviderOpenVINO, log: "provider=openvino"},
		{name: "auto: OpenVINO loses", wanted: ProviderAuto, plain: fakeSession{takes: 10}, other: fakeSession{takes: 12},
			want: ProviderCPU, log: "provider=cpu"},
		{name: "auto: hardly faster is not enough", wanted: ProviderAuto, plain: fakeSession{takes: 100}, other: fakeSession{takes: 95},
			want: ProviderCPU, log: "tried_time=95"},
		{name: "auto: OpenVINO disagrees", wanted: ProviderAuto, plain: fakeSession{takes: 10}, other: fakeSession{takes: 5, value: 0.02},
			want: ProviderCPU, log: "by up to 0.02; the limit is 0.01; set onnx.precision to fp32"},
		{name: "auto: no number", wanted: ProviderAuto, plain: fakeSession{takes: 10},
			other: fakeSession{takes: 5, value: float32(math.NaN())}, want: ProviderCPU, log: "level=WARN"},
		{name: "auto: OpenVINO is missing", wanted: ProviderAuto, loadOther: broken, want: ProviderCPU, log: "broken", notLog: "level=WARN"},
		{name: "auto: OpenVINO fails", wanted: ProviderAuto, plain: fakeSession{takes: 10}, other: fakeSession{takes: 5, err: broken},
			want: ProviderCPU, log: "level=WARN"},
		{name: "auto: no network", wanted: ProviderAuto, loadPlain: network, wantErr: network},
		{name: "auto: the network fails", wanted: ProviderAuto, plain: fakeSession{err: network}, wantErr: network},
		{name: "openvino: even if it is slower", wanted: ProviderOpenVINO, plain: fakeSession{takes: 10}, other: fakeSession{takes: 12},
			want: ProviderOpenVINO},
		{name: "openvino: it disagrees", wanted: ProviderOpenVINO, plain: fakeSession{takes: 10}, other: fakeSession{takes: 5, value: 0.02},
			wantErr: ErrProvider},
		{name: "openvino: it is missing", wanted: ProviderOpenVINO, loadOther: broken, wantErr: broken},
		{name: "openvino: it fails", wanted: ProviderOpenVINO, plain: fakeSession{takes: 10}, other: fakeSession{err: broken}, wantErr: ErrProvider},
		{name: "cuda: compared too", wanted: ProviderCUDA, plain: fakeSession{takes: 10}, other: fakeSession{takes: 5, value: 0.02}, wantErr: ErrProvider},
		{name: "cpu: nothing to try", wanted: ProviderCPU, loadOther: broken, want: ProviderCPU},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.plain.provider, c.other.provider = ProviderCPU, rowOf(c.wanted)
			var log bytes.Buffer
			clock := time.Unix(0, 0)
			got, err := selection[*fakeSession]{
				wanted: c.wanted, pictures: 3, log: slog.New(slog.NewTextHandler(&log, nil)),
				now:   func() instant { return instant{wall: clock} },
				limit: func(Execution) float64 { return 0.01 },
				load: func(p Provider) (*fakeSession, error) {
					if p == ProviderCPU {
						return orNil(&c.plain, c.loadPlain), c.loadPlain
					}
					return orNil(&c.other, c.loadOther), c.loadOther
				},
				run: func(_ context.Context, s *fakeSession, _ int) ([]float32, error) {
					clock = clock.Add(time.Duration(s.takes) * time.Millisecond)
					return []float32{s.value}, s.err
				},
			}.choose(t.Context())
			if c.want == "" {
				if !errors.Is(err, c.wantErr) || got != nil {
					t.Fatalf("choose = %v, %v; want %v", got, err, c.wantErr)
				}
			} else if err != nil || got.provider != c.want || got.closed != 0 {
				t.Fatalf("choose = %+v, %v; want %s", got, err, c.want)
			}
			for _, s := range []*fakeSession{&c.plain, &c.other} {
				loaded := s == &c.plain && c.loadPlain == nil || s == &c.other && c.loadPlain == nil && c.loadOther == nil && c.wanted != ProviderCPU
				if loaded && s != got && s.closed != 1 {
					t.Errorf("%s was closed %d times", s.provider, s.closed)
				}
			}
			if !strings.Contains(log.String(), c.log) || c.notLog != "" && strings.Contains(log.String(), c.notLog) {
				t.Errorf("log: %s; want %q, not %q", log.String(), c.log, c.notLog)
			}
		})
	}
}

func orNil(s *fakeSession, err error) *fakeSession {
	if err != nil {
		return nil
	}
	return s
}

// The provider is not at fault if the start is interrupted.
func TestSelectionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := selection[*fakeSession]{
		wanted: ProviderAuto, pictures: 2, log: slog.New(slog.DiscardHandler), now: now,
		limit: func(Execution) float64 { return 1 },
		load:  func(p Provider) (*fakeSession, error) { return &fakeSession{provider: p}, nil },
		run: func(ctx context.Context, s *fakeSession, _ int) ([]float32, error) {
			if s.provider == ProviderOpenVINO {
				cancel()
			}
			return []float32{0}, ctx.Err()
		},
	}.choose(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("choose = %v, want context.Canceled", err)
	}
}

// One run whose time was measured wrong does not decide.
func TestSelectionByTheMedian(t *testing.T) {
	runs := map[Provider]int{}
	clock := time.Unix(0, 0)
	got, err := selection[*fakeSession]{
		wanted: ProviderAuto, pictures: 2, log: slog.New(slog.DiscardHandler),
		now:   func() instant { return instant{wall: clock} },
		limit: func(Execution) float64 { return 1 },
		load:  func(p Provider) (*fakeSession, error) { return &fakeSession{provider: p}, nil },
		run: func(_ context.Context, s *fakeSession, _ int) ([]float32, error) {
			took := map[Provider]time.Duration{ProviderCPU: 10 * time.Millisecond, ProviderOpenVINO: 5 * time.Millisecond}[s.provider]
			if runs[s.provider]++; runs[s.provider] == 3 && s.provider == ProviderCPU {
				took = time.Millisecond
			}
			clock = clock.Add(took)
			return []float32{0}, nil
		},
	}.choose(t.Context())
	if err != nil || got.provider != ProviderOpenVINO {
		t.Fatalf("choose = %+v, %v; want openvino", got, err)
	}
}

func TestLargestDifference(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 2}, []float32{1, 2.5}, 0.5},
		{nil, nil, 0},
		{[]float32{1}, nil, math.Inf(1)},
		{[]float32{nan}, []float32{nan}, math.Inf(1)},
		{[]float32{float32(math.Inf(1))}, []float32{0}, math.Inf(1)},
	} {
		if got := largestDifference(c.a, c.b); got != c.want {
			t.Errorf("largestDifference(%v, %v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestSinceTakesTheUndisturbedClock(t *testing.T) {
	begin := instant{time.Unix(0, 0), 0}
	for _, c := range []struct{ wall, cpu, want time.Duration }{
		{10, 10, 10},
		{30, 10, 10}, // other processes had the core
		{10, 30, 10}, // other threads of this process worked too
		{10, 0, 10},  // a GPU worked, or there is no processor clock
	} {
		if got := (instant{begin.wall.Add(c.wall), c.cpu}).since(begin); got != c.want {
			t.Errorf("since of %v and %v = %v, want %v", c.wall, c.cpu, got, c.want)
		}
	}
}
