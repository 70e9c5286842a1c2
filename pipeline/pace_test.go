package pipeline

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestCatchingUpPasses: a stream that is late for a while and catches up, or whose clock drifts, is judged as any other.
func TestCatchingUpPasses(t *testing.T) {
	const long = 60 * time.Second
	random := rand.New(rand.NewPCG(1, 1))
	for name, tt := range map[string]struct {
		p    publisher
		most time.Duration // until the verdict
	}{
		"camera":                       {camera(long, 30), 2300 * time.Millisecond},
		"burst of 1.2 s at the start":  {camera(long, 30).late(1200 * time.Millisecond), 3500 * time.Millisecond},
		"burst of 5 s at the start":    {camera(long, 30).late(5 * time.Second), 3800 * time.Millisecond},
		"stall of 2 s":                 {camera(long, 30).held(time.Second, 3*time.Second), 4300 * time.Millisecond},
		"late, then a stall":           {camera(long, 30).late(time.Second).held(1500*time.Millisecond, 3500*time.Millisecond), 6 * time.Second},
		"three stalls":                 {camera(long, 30).held(time.Second, 2*time.Second).held(2500*time.Millisecond, 3500*time.Millisecond).held(4*time.Second, 5*time.Second), 6 * time.Second},
		"clock 0.5 % fast":             {camera(long, 30).speed(1.005), 2300 * time.Millisecond},
		"clock 0.5 % slow":             {camera(long, 30).speed(0.995), 2300 * time.Millisecond},
		"jitter of 100 ms":             {camera(long, 30).jitter(random, 100*time.Millisecond), 2700 * time.Millisecond},
		"jitter of 500 ms":             {camera(long, 30).jitter(random, 500*time.Millisecond), 4500 * time.Millisecond},
		"jitter, burst, stall, drift":  {camera(long, 30).held(3*time.Second, 5*time.Second).late(1200*time.Millisecond).speed(1.005).jitter(random, 100*time.Millisecond), 6 * time.Second},
		"pause of 8 s with timestamps": {pause(camera(long, 30), time.Second, 8*time.Second), 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, tt.p.script())
				begun := time.Now()
				v, err := r.run(context.Background())
				require.NoError(t, err)
				t.Logf("%s after %v, %d dropped of %d", v.Outcome, time.Since(begun), r.report.Counts.Dropped, r.report.Counts.Received)
				require.Equal(t, isLive, v.Outcome)
				require.Empty(t, r.report.Drops[StageSample], "no picture is rejected")
				require.GreaterOrEqual(t, time.Since(begun), r.policy.MinSpan-r.cfg.ClockSlack)
				require.LessOrEqual(t, time.Since(begun), tt.most)
			})
		})
	}
}

// TestStallsShortenNoEvidence: who sends nothing for long and then much at once gains the slack and no more.
func TestStallsShortenNoEvidence(t *testing.T) {
	for _, stall := range []time.Duration{2 * time.Second, 5 * time.Second, 9 * time.Second} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, camera(30*time.Second, 30).held(1, stall).script())
			begun := time.Now()
			v, err := r.run(context.Background())
			require.NoError(t, err)
			require.Equal(t, isLive, v.Outcome)
			require.GreaterOrEqual(t, time.Since(begun), stall+r.policy.MinSpan-r.cfg.ClockSlack)
		})
	}
}

// pause leaves out the pictures of a time, as a sender whose camera is switched off for it.
func pause(p publisher, from, length time.Duration) (out publisher) {
	for i, at := range p.arrivals {
		if at < from || at >= from+length {
			out.times, out.arrivals = append(out.times, p.times[i]), append(out.arrivals, at)
		}
	}
	return out
}

// TestRunningAheadNeverPasses: a stream that is faster than the server's clock is caught, whatever it does with
// single pictures, and its pictures are no evidence.
func TestRunningAheadNeverPasses(t *testing.T) {
	const long = 60 * time.Second
	random := rand.New(rand.NewPCG(1, 2))
	for name, p := range map[string]publisher{
		"1.25 times":                          camera(long, 30).speed(1.25),
		"1.3 times":                           camera(long, 30).speed(1.3),
		"1.3 times at 10 a second":            camera(long, 10).speed(1.3),
		"1.3 times with jitter":               camera(long, 30).speed(1.3).jitter(random, 100*time.Millisecond),
		"1.3 times after a late start":        camera(long, 30).late(time.Second).speed(1.3),
		"twice":                               camera(2*long, 30).speed(2),
		"twice with jitter":                   camera(2*long, 30).speed(2).jitter(random, 300*time.Millisecond),
		"six times":                           camera(6*long, 30).speed(6),
		"bursts of 0.3 s, one a second":       bursts(300*time.Millisecond, time.Second, long),
		"bursts of 0.5 s, one in 1.5 s":       bursts(500*time.Millisecond, 1500*time.Millisecond, long),
		"bursts of 0.6 s, one in 2 s":         bursts(600*time.Millisecond, 2*time.Second, long),
		"bursts of 2 s, nothing in between":   bursts(2*time.Second, 500*time.Millisecond, long),
		"pictures a second apart, each 0.5 s": camera(2*long, 1).speed(2),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				for _, mode := range []liveproof.Mode{liveproof.ModeOnboarding, liveproof.ModeCall} {
					r := liveRig(t, p.script().ending(nil))
					r.info.Mode = mode
					ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
					defer cancel()
					v, err := r.run(ctx)
					require.NoError(t, err)
					t.Logf("%v: scored %d, dropped %v, %v", mode, r.report.Counts.Scored, r.report.Drops[StageSample], v.Reasons)
					require.Equal(t, inconclusive, v.Outcome)
					require.Empty(t, r.verdicts(), "never live in between")
					require.NotZero(t, r.report.Unscored[liveproof.ReasonInjectionTiming])
					require.Contains(t, v.Reasons, liveproof.ReasonInjectionTiming)
				}
			})
		})
	}
}

// bursts plays in real time, but every so often so much at once.
func bursts(burst, every, length time.Duration) publisher {
	p := camera(length, 30)
	gained := time.Duration(0)
	for i, at := range p.times {
		if inBurst := at%(burst+every) < burst; inBurst && i > 0 {
			gained += at - p.times[i-1]
		}
		p.arrivals[i] = at - gained
	}
	return p
}

// TestEvidenceTakesTheServersTime: whatever a sender does with timestamps and arrivals, the time that is told between any two
// pictures exceeds the server's by at most the slack, and it grows from sample to sample.
func TestEvidenceTakesTheServersTime(t *testing.T) {
	cfg := DefaultConfig()
	for seed := range uint64(60) {
		least, last := time.Duration(math.MaxInt64), time.Duration(-1)
		for _, c := range hostile(rand.New(rand.NewPCG(seed, 5))).classify(cfg) {
			if c.t < last || c.take && c.t == last {
				t.Fatalf("seed %d: told time does not grow from %v to %v", seed, last, c.t)
			}
			if c.doubt != "" {
				continue
			}
			if float64(c.t) > (1+drift)*float64(c.server)+1 {
				t.Fatalf("seed %d: %v since the first picture, of %v of the server's time", seed, c.t, c.server)
			}
			if least = min(least, c.t-c.server); c.t-c.server-least > cfg.ClockSlack {
				t.Fatalf("seed %d: %v more than the server's time", seed, c.t-c.server-least)
			}
			if c.take {
				last = c.t
			}
		}
	}
}

// hostile mixes steps and waits of all sizes.
func hostile(r *rand.Rand) (p publisher) {
	steps := []time.Duration{-time.Hour, -time.Second, -1, 0, 1, 5 * time.Millisecond, 33 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second, time.Hour}
	t, server := time.Duration(0), time.Duration(0)
	for range 400 {
		n, step, wait := 1+r.IntN(60), steps[r.IntN(len(steps))], steps[3+r.IntN(6)]
		if r.IntN(2) == 0 {
			step = 33 * time.Millisecond
		}
		for range n {
			t += step
			server += time.Duration(r.Int64N(int64(wait) + 1))
			p.times, p.arrivals = append(p.times, t), append(p.arrivals, server)
		}
	}
	return p
}

// TestHonestStreamsKeepTheirSamples: over random cameras and networks nothing is rejected, and told time follows the stream but
// for what stalls longer than the slack cost.
func TestHonestStreamsKeepTheirSamples(t *testing.T) {
	const length = 60 * time.Second
	cfg := DefaultConfig()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 6))
		fps := 8 + 52*r.Float64()
		p := camera(length, fps)
		stalled := time.Duration(0)
		for at := time.Duration(r.Int64N(int64(5 * time.Second))); at < length; at += 8*time.Second + time.Duration(r.Int64N(int64(20*time.Second))) {
			stall := time.Duration(r.Int64N(int64(3 * time.Second)))
			p, stalled = p.held(at, at+stall), stalled+stall
		}
		p = p.jitter(r, time.Duration(r.Int64N(int64(200*time.Millisecond)))).late(time.Duration(r.Int64N(int64(3 * time.Second)))).
			speed(0.99 + 0.02*r.Float64())
		taken := 0
		var last classified
		for _, c := range p.classify(cfg) {
			require.Empty(t, c.doubt, "seed %d at %v", seed, c.server)
			if c.take {
				taken++
			}
			last = c
		}
		kept := length - 5*time.Second - stalled // a late start and what is not sampled after it
		require.Greater(t, last.t, kept, "seed %d", seed)
		require.GreaterOrEqual(t, taken, int(0.9*cfg.SampleRate*kept.Seconds()), "seed %d: %.0f a second", seed, fps)
	}
}

// TestDriftNeverEndsACall: a clock that is 0.5 or 1 % off is sampled at the full rate after ten minutes as in the first.
func TestDriftNeverEndsACall(t *testing.T) {
	const length = 10 * time.Minute
	cfg := DefaultConfig()
	for _, speed := range []float64{0.99, 0.995, 1.005, 1.01} {
		taken := 0
		for _, c := range camera(length, 30).speed(speed).classify(cfg) {
			require.Empty(t, c.doubt, "%v times at %v", speed, c.server)
			if c.take {
				taken++
			}
		}
		require.InDelta(t, cfg.SampleRate*length.Seconds(), taken, 0.02*cfg.SampleRate*length.Seconds(), "%v times", speed)
	}
}

// TestTrustReturns: after a stream has run ahead, it is sampled again a good second after it keeps pace.
func TestTrustReturns(t *testing.T) {
	p := camera(60*time.Second, 30)
	for i, at := range p.arrivals { // twice as fast for 20 s
		p.arrivals[i] = max(at/2, at-10*time.Second)
	}
	caught, again := time.Duration(0), time.Duration(0)
	for _, c := range p.classify(DefaultConfig()) {
		switch {
		case caught == 0 && c.doubt != "":
			caught = c.server
		case c.take && c.server > caught && caught > 0 && again == 0:
			again = c.server
		}
	}
	require.InDelta(t, 3.2, caught.Seconds(), 0.2)
	require.InDelta(t, 11.1, again.Seconds(), 0.2)
}
