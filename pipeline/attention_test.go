package pipeline

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// The backgrounds of the scenes.
var backgrounds = [2]liveproof.Thumbnail{background(0), background(1)}

func background(scene float64) (to liveproof.Thumbnail) {
	for i := range to {
		x, y := float64(i%liveproof.ThumbnailSide), float64(i/liveproof.ThumbnailSide)
		to[i] = uint8(90 + 60*math.Sin(scene+x/9)*math.Cos(y/7+2*scene))
	}
	return to
}

// sway is a person who moves a little in front of a background: about as much as people in
// front of webcams do, and never in the same way twice.
func sway(p *picture, scene int) {
	t := p.t.Seconds()
	at := 32 + 2*math.Sin(4*t) + 2*math.Sin(2.7*t) + 2*math.Sin(t*t/9)
	p.show = func(to *liveproof.Thumbnail) {
		*to = backgrounds[scene]
		for y := 20; y < 48; y++ {
			for x := 12; x < 52; x++ {
				if d := float64(x) - at; d*d+float64((y-34)*(y-34)) < 14*14 {
					to[y*liveproof.ThumbnailSide+x] = uint8(120 + 6*scene + int(50*math.Sin(d/3)) - y)
				}
			}
		}
	}
}

// aCall is a call of this many seconds at 30 pictures a second.
func aCall(t *testing.T, seconds float64) *rig {
	r := liveRig(t, live(int(seconds*30), 30).edit(func(_ int, p *picture) { sway(p, 0) }))
	r.info.Mode = liveproof.ModeCall
	r.cfg.KeepSamples = true
	return r
}

// step is one call of a method of attention; the random wait is always the longest.
type step struct {
	at   time.Duration
	tell string // settled, doubt, missed or unlike
	want time.Duration
}

// TestAttention is the rule by example: after each step, the wait for the next sample.
func TestAttention(t *testing.T) {
	const s = time.Second
	calm := func(until time.Duration) (steps []step) {
		for at := time.Duration(0); at <= until; at += s {
			steps = append(steps, step{at: at, tell: "settled"})
		}
		return steps
	}
	tests := map[string][]step{
		"at first":                      {{0, "", s / 5}},
		"for a second":                  append(calm(s), step{2*s - 1, "settled", s / 5}),
		"for two":                       append(calm(s), step{2 * s, "settled", 2 * s / 5}),
		"for four":                      append(calm(3*s), step{4 * s, "settled", 4 * s / 5}),
		"for six":                       append(calm(5*s), step{6 * s, "settled", s}),
		"for longer":                    append(calm(60*s), step{61 * s, "settled", s}),
		"a doubt":                       append(calm(60*s), step{60 * s, "doubt", s / 5}),
		"a doubt is not removed":        append(calm(60*s), step{60 * s, "doubt", s / 5}, step{59 * s, "settled", s / 5}, step{60 * s, "settled", s / 5}),
		"a doubt begins the calm anew":  append(calm(3*s), step{3 * s, "doubt", s / 5}, step{4 * s, "settled", s / 5}, step{6*s - 1, "settled", s / 5}),
		"an older doubt counts as well": append(calm(60*s), step{30 * s, "doubt", s / 5}),
		"missed":                        append(calm(60*s), step{60 * s, "missed", s / 2}, step{61 * s, "missed", s / 4}, step{62 * s, "missed", s / 5}),
		"missed at the full rate":       {{0, "missed", s / 5}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAttention(DefaultConfig(), liveproof.ModeCall, NewMetrics(nil))
			a.draw = func() float64 { return 1 }
			for _, st := range steps {
				switch st.tell {
				case "settled":
					a.settled(st.at)
				case "doubt":
					a.doubt(st.at, causeCut)
				case "missed":
					a.missed(st.at)
				}
				if st.want > 0 {
					require.Equal(t, st.want, a.period, "%s at %v", st.tell, st.at)
				}
			}
		})
	}
}

// TestAttentionPicksSamples: which pictures of the grid become samples, and which of them
// the detector searches thoroughly.
func TestAttentionPicksSamples(t *testing.T) {
	const grid = 200 * time.Millisecond
	a := newAttention(DefaultConfig(), liveproof.ModeCall, NewMetrics(nil))
	a.draw = func() float64 { return 0.6 } // 0.8 s of a second
	for at := time.Duration(0); at <= 10*time.Second; at += grid {
		a.due(at, false)
		a.settled(at)
	}
	start := 10*time.Second + grid
	var waits []time.Duration
	last := time.Duration(-1)
	for at := start; at < start+8*time.Second; at += grid {
		if sample, thorough := a.due(at, false); sample {
			require.False(t, thorough)
			if last >= 0 {
				waits = append(waits, at-last)
			}
			last = at
		}
	}
	require.Greater(t, len(waits), 7)
	for _, w := range waits {
		require.Equal(t, 4*grid, w)
	}
	require.Positive(t, testutil.ToFloat64(a.met.spared))

	sample, thorough := a.due(last+grid, true)
	require.True(t, sample, "unlike the last sample")
	require.False(t, thorough)
	a.doubt(last+grid, causeStill)
	require.Equal(t, 1., testutil.ToFloat64(a.met.doubts.WithLabelValues(string(causeStill))))
	sample, thorough = a.due(last+2*grid, false)
	require.True(t, sample && thorough, "the first sample after a doubt")
	sample, thorough = a.due(last+3*grid, false)
	require.True(t, sample && !thorough, "the full rate")
}

// TestDroppedSampleOwesItsSearch: a slow detector drops most samples, among them the first one after a cut. The next
// one that it gets is searched thoroughly.
func TestDroppedSampleOwesItsSearch(t *testing.T) {
	for cut := 240; cut < 270; cut += 3 {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(330, 30).edit(func(i int, p *picture) { sway(p, min(i/cut, 1)) }))
			r.info.Mode = liveproof.ModeCall
			cutAt := r.src.pictures[cut].t
			searched := false // thoroughly, by the first search of a picture after the cut
			r.models.asked = func(at time.Duration, thorough bool) {
				if cutAt >= 0 && at >= cutAt {
					searched, cutAt = thorough, -1
				}
			}
			r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
				time.Sleep(700 * time.Millisecond)
				return oneFace(1), nil
			}
			_, err := r.run(context.Background())
			require.NoError(t, err)
			require.NotZero(t, r.report.Drops[StageDetect][liveproof.ReasonOverload])
			require.True(t, searched, "cut at picture %d", cut)
		})
	}
}

// TestOneShotIsNeverRelaxed, however settled it is.
func TestOneShotIsNeverRelaxed(t *testing.T) {
	a := newAttention(DefaultConfig(), liveproof.ModeOnboarding, NewMetrics(nil))
	for at := time.Duration(0); at < time.Minute; at += 200 * time.Millisecond {
		sample, _ := a.due(at, false)
		require.True(t, sample)
		a.settled(at)
	}
}

// TestCalmCallIsSampledLess: a minute that stands at live takes a third of the
// samples, none of them further apart than the relaxed rate says.
func TestCalmCallIsSampledLess(t *testing.T) {
	for name, set := range map[string]func(*rig){
		"call":        func(*rig) {},
		"off":         func(r *rig) { r.cfg.RelaxedRate = r.cfg.SampleRate },
		"undecided":   func(r *rig) { r.models.score = always(0.5) },
		"spoof":       func(r *rig) { r.models.score = always(0.1) },
		"as a file":   func(r *rig) { r.cfg, r.src.pace = r.cfg.Files(), 0 },
		"rarer still": func(r *rig) { r.cfg.RelaxedRate, r.policy.RestartGap = 0.5, 4*time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := aCall(t, 60)
				set(r)
				v, err := r.run(context.Background())
				require.NoError(t, err)
				spared := testutil.ToFloat64(r.met.spared)
				require.Equal(t, float64(301), float64(len(r.report.Samples))+spared, "every picture of the grid is a sample or spared")
				t.Logf("%s: %d samples, %v", name, len(r.report.Samples), r.report.Unscored)
				switch name {
				case "call":
					require.Equal(t, isLive, v.Outcome)
					require.Less(t, len(r.report.Samples), 135)
				case "rarer still":
					require.Less(t, len(r.report.Samples), 115)
				default:
					require.Zero(t, spared)
				}
				for i, s := range r.report.Samples[1:] {
					require.LessOrEqual(t, s.T-r.report.Samples[i].T, r.cfg.longest()+r.cfg.period()/2+40*time.Millisecond)
				}
			})
		})
	}
}

// TestChangeIsNoticedInAnyPhase: whatever replaces the person, and whenever
// between two samples of a relaxed call, the call leaves live within 2 s of the
// first changed picture.
func TestChangeIsNoticedInAnyPhase(t *testing.T) {
	const fade = 0.8 // seconds
	nobody := liveproof.Detection{Primary: -1}
	two := oneFace(1)
	two.Faces = append(two.Faces, two.Faces[0])
	gone := func(d liveproof.Detection) func(float64) liveproof.Detection {
		return func(since float64) liveproof.Detection {
			if since < 0 {
				return oneFace(1)
			}
			return d
		}
	}
	attack := func(since float64) float64 { return map[bool]float64{true: 0.95, false: 0.1}[since < 0] }
	// What the pictures, the detector and the scorer do, by the seconds since the change.
	tests := []struct {
		name   string
		show   func(p *picture, since float64)
		detect func(since float64) liveproof.Detection
		score  func(since float64) float64
	}{
		{"attack, cut in", func(p *picture, since float64) { sway(p, map[bool]int{false: 1}[since < 0]) }, nil, attack},
		{"attack, no cut", nil, nil, attack},
		{"attack, faded in", func(p *picture, since float64) { mix(p, since/fade) }, nil, func(since float64) float64 {
			return 0.95 - 0.85*min(1, max(0, since/fade))
		}},
		{"another person", func(p *picture, since float64) { sway(p, map[bool]int{false: 1}[since < 0]) }, gone(oneFace(2)), nil},
		{"another person, no cut", nil, gone(oneFace(2)), nil},
		{"second face", nil, gone(two), nil},
		{"nobody", nil, gone(nobody), nil},
		{"frozen", func(p *picture, since float64) {
			if since >= 0 {
				p.digest = 1 << 40
			}
		}, nil, nil},
		{"frozen by a lossy codec", func(p *picture, since float64) {
			still := picture{t: p.t - time.Duration(max(0, since)*float64(time.Second))}
			sway(&still, 0)
			p.show = still.show
		}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limit, worst := 2*time.Second, time.Duration(0)
			if tt.name == "nobody" { // no evidence against the person: restart_gap, as at a fixed rate
				limit += staleCheck
			}
			for phase := 0; phase <= 30; phase += 3 {
				after, at := noticed(t, 360+phase, tt.show, tt.detect, tt.score)
				require.LessOrEqual(t, after, limit, "changed at %v", at)
				worst = max(worst, after)
			}
			t.Logf("noticed after at most %v", worst)
		})
	}
}

// mix fades from one scene to another.
func mix(p *picture, share float64) {
	from, to := picture{t: p.t}, picture{t: p.t}
	sway(&from, 0)
	sway(&to, 1)
	p.show = func(cells *liveproof.Thumbnail) {
		var a, b liveproof.Thumbnail
		from.show(&a)
		to.show(&b)
		for i := range cells {
			cells[i] = uint8(float64(a[i]) + min(1, max(0, share))*(float64(b[i])-float64(a[i])))
		}
	}
}

// noticed runs a call that changes at picture n, and returns how long after that
// it left live, in stream time.
func noticed(t *testing.T, n int, show func(*picture, float64), detect func(float64) liveproof.Detection,
	score func(float64) float64,
) (after, at time.Duration) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		r := aCall(t, 15.5)
		at = r.src.pictures[n].t
		since := func(i int) float64 { return (r.src.pictures[i].t - at).Seconds() }
		r.src.edit(func(i int, p *picture) {
			if show != nil {
				show(p, since(i))
			}
		})
		// A frozen picture has no number, as it has another's digest; it is not scored.
		index := func(n int) int { return min(max(n-1, 0), len(r.src.pictures)-1) }
		if detect != nil {
			r.models.detect = func(_ context.Context, n int) (liveproof.Detection, error) { return detect(since(index(n))), nil }
		}
		if score != nil {
			r.models.score = func(_ context.Context, n int) (float64, error) { return score(since(index(n))), nil }
		}
		left := time.Duration(-1)
		r.watch = func(e liveproof.Event) {
			if e.Verdict != nil && e.Verdict.Outcome == pending && left < 0 {
				left = e.Verdict.At
			}
		}
		_, err := r.run(context.Background())
		require.NoError(t, err)
		require.GreaterOrEqual(t, left, at, "live is left, and not before the change")
		after = left - at
	})
	return after, at
}
