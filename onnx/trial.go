package onnx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"syscall"
	"time"
)

// Trial says how two execution providers are compared on one network.
type Trial struct {
	// Network is the name of the network, for messages.
	Network string
	// Pictures is the number of fixed inputs, ≥ 2. The first run of each provider is slower and is
	// not timed.
	Pictures int
	// Run runs the network on picture, [0, Pictures), in the shape that it mostly gets, and
	// returns the values that must agree.
	Run func(ctx context.Context, s *Session, picture int) ([]float32, error)
	// Limit is the largest accepted difference of a value from the plain CPU provider's.
	Limit func(Execution) float64
	Log   *slog.Logger
}

// LoadTried loads a network as Load does, after a trial: the wanted provider and the plain
// CPU provider both run the trial's pictures. ProviderAuto takes OpenVINO if its values
// agree and it is clearly faster, else the plain provider. Another provider that differs by
// more than the limit is refused with ErrProvider. The log says what was taken and why.
func (r *Runtime) LoadTried(ctx context.Context, model []byte, opt SessionOptions, trial Trial) (*Session, error) {
	if err := r.acquire(); err != nil { // held while the network is described
		return nil, err
	}
	defer func() { _ = shared.release() }()
	described, err := describe(model) // once for both providers: it takes as long as a load
	if err != nil {
		return nil, err
	}
	return selection[*Session]{
		wanted: opt.apply(r.cfg).Provider, pictures: trial.Pictures, limit: trial.Limit, run: trial.Run,
		now: now, log: trial.Log.With("network", trial.Network),
		load: func(p Provider) (*Session, error) {
			own := opt
			own.Provider = p
			shared.acquire()
			return described.load(r, model, own)
		},
	}.choose(ctx)
}

const (
	// clearly is the largest share of the plain provider's time with which OpenVINO wins:
	// a smaller gain is not worth its memory and its rounding.
	clearly = 0.9
	// timing is how long the runs are repeated: other work disturbs some of them.
	timing = 200 * time.Millisecond
)

// errOther says that the provider on trial is at fault, not the network.
var errOther = fmt.Errorf("%w here", ErrProvider)

// candidate is a loaded network: a *Session, or a fake in tests.
type candidate interface {
	comparable
	Execution() Execution
	Close() error
}

// selection chooses what runs one network.
type selection[S candidate] struct {
	wanted   Provider
	pictures int
	load     func(Provider) (S, error)
	run      func(ctx context.Context, s S, picture int) ([]float32, error)
	limit    func(Execution) float64
	now      func() instant
	log      *slog.Logger
}

// choose returns the session to use; the other one is closed.
func (s selection[S]) choose(ctx context.Context) (chosen S, err error) {
	plain, err := s.load(ProviderCPU) // first: a model that it refuses is at fault, not the other provider
	if err != nil || s.wanted == ProviderCPU {
		return plain, err
	}
	other, err := s.load(providerOf(s.wanted).name)
	if err != nil {
		return s.settle(plain, plain, other, err)
	}
	c, err := s.compare(ctx, plain, other)
	if err == nil && (s.wanted != ProviderAuto || c.other < time.Duration(clearly*float64(c.plain))) {
		chosen = other
	} else {
		chosen = plain
	}
	if err == nil {
		s.log.Info("execution provider chosen", "provider", chosen.Execution().Provider, "precision", chosen.Execution().Precision,
			"cpu_time", c.plain, "tried", other.Execution(), "tried_time", c.other, "largest_difference", c.difference)
	}
	return s.settle(chosen, plain, other, err)
}

// settle closes what is not used. If the provider on trial fails, auto falls back to the
// plain one; a configured provider is never replaced.
func (s selection[S]) settle(chosen, plain, other S, err error) (S, error) {
	var none S
	if err != nil && s.wanted == ProviderAuto && (other == none || errors.Is(err, errOther)) {
		s.report(err, other != none)
		err = nil
	}
	for _, each := range []S{plain, other} {
		if each != none && (each != chosen || err != nil) {
			err = errors.Join(err, each.Close())
		}
	}
	if err != nil {
		return none, err
	}
	return chosen, nil
}

// report logs why auto took the plain provider: as a warning if the other one was loaded and
// then failed, and as information if it is not installed.
func (s selection[S]) report(err error, loaded bool) {
	level := slog.LevelInfo
	if loaded {
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "execution provider chosen", "provider", ProviderCPU, "precision", PrecisionFP32, "because", err)
}

// instant is a reading of two clocks.
type instant struct {
	wall time.Time
	cpu  time.Duration // of all threads of this process
}

func now() instant {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return instant{time.Now(), math.MaxInt64} // then the wall clock counts alone
	}
	return instant{time.Now(), time.Duration(usage.Utime.Nano() + usage.Stime.Nano())}
}

// since is the smaller of wall time and CPU time. Other processes lengthen only the wall time, other
// work of this process lengthens the CPU time, so that the smaller one is nearer to the run's own
// time.
func (i instant) since(begin instant) time.Duration {
	wall, cpu := i.wall.Sub(begin.wall), i.cpu-begin.cpu
	if cpu <= 0 {
		return wall
	}
	return min(wall, cpu)
}

// comparison holds the median time of a run with each provider, and the largest difference of
// their values. The shortest time would let one wrong reading of a clock decide: on a busy machine
// 1.3 ms was once read for a run of 4.7, and the slower provider taken.
type comparison struct {
	plain, other time.Duration
	difference   float64
}

// compare runs the pictures on both providers in turn. Its error wraps errOther when the provider on
// trial fails or disagrees.
func (s selection[S]) compare(ctx context.Context, plain, other S) (comparison, error) {
	var c comparison
	var plainTimes, otherTimes []time.Duration
	begin := s.now()
	for n := 0; n <= s.pictures || s.now().wall.Sub(begin.wall) < timing; n++ {
		want, plainTime, err := s.timed(ctx, plain, n%s.pictures)
		if err != nil {
			return c, err
		}
		got, otherTime, err := s.timed(ctx, other, n%s.pictures)
		if ctx.Err() != nil {
			return c, ctx.Err()
		}
		if err != nil {
			return c, s.blame(other, err)
		}
		c.difference = max(c.difference, largestDifference(want, got))
		if limit := s.limit(other.Execution()); !(c.difference <= limit) {
			return c, s.blame(other, fmt.Errorf("its values differ from those of the plain CPU provider by up to %.2g; the limit is %.2g",
				c.difference, limit))
		}
		if n > 0 {
			plainTimes, otherTimes = append(plainTimes, plainTime), append(otherTimes, otherTime)
		}
	}
	c.plain, c.other = median(plainTimes), median(otherTimes)
	return c, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// blame says what to do about a provider that loads a network and then fails on it.
func (s selection[S]) blame(other S, err error) error {
	return fmt.Errorf("%w: %v: %w; set onnx.precision to fp32 or onnx.provider to cpu", errOther, other.Execution(), err)
}

func (s selection[S]) timed(ctx context.Context, session S, picture int) ([]float32, time.Duration, error) {
	begin := s.now()
	values, err := s.run(ctx, session, picture)
	return values, s.now().since(begin), err
}

// largestDifference is +Inf for values that cannot be compared: other lengths, NaN.
func largestDifference(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	largest := 0.
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		largest = max(largest, d)
	}
	return largest
}
