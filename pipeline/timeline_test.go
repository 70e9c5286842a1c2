package pipeline

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// halfRange is half the range of RTP timestamps of video.
const halfRange = time.Duration(1<<31) * time.Second / 90000

// jumped runs a session whose stream's own time is edited, live or as a file.
func jumped(t *testing.T, mode liveproof.Mode, isFile bool, edit func(p *publisher)) (*rig, liveproof.Verdict, time.Duration) {
	t.Helper()
	p := camera(14*time.Second, 30)
	edit(&p)
	r := liveRig(t, p.script())
	if isFile {
		r = fileRig(t, p.file())
	}
	r.info.Mode = mode
	last := time.Duration(-1)
	r.models.asked = func(at time.Duration, _ bool) {
		require.GreaterOrEqual(t, at, last, "told time never falls")
		last = at
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer time.AfterFunc(13*time.Second, func() { cancel(&liveproof.EndError{Reason: liveproof.ReasonDisconnected}) }).Stop()
	begun := time.Now()
	v, err := r.run(ctx)
	require.NoError(t, err)
	return r, v, time.Since(begun)
}

// TestJumpRestartsTheEvidence: a stream whose time jumps for good is judged on, from new evidence.
func TestJumpRestartsTheEvidence(t *testing.T) {
	const at = 1500 * time.Millisecond
	for name, by := range map[string]time.Duration{
		"an hour forward": time.Hour, "an hour backward": -time.Hour, "to the first picture's time": -at,
		"4 s forward": 4 * time.Second, "half the range forward": halfRange, "half the range backward": -halfRange,
		"50 years": 50 * 365 * 24 * time.Hour,
	} {
		for _, isFile := range []bool{false, true} {
			if isFile && by == 4*time.Second {
				continue // a file has no clock that says whether this time has passed
			}
			t.Run(name+map[bool]string{true: " in a file"}[isFile], func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					r, v, after := jumped(t, liveproof.ModeOnboarding, isFile, func(p *publisher) { p.jump(at, by) })
					require.Equal(t, isLive, v.Outcome, "%v", v.Reasons)
					require.NotZero(t, r.report.Unscored[liveproof.ReasonTimestampsJumped])
					timeline := r.timeline()
					jump := slices.IndexFunc(timeline, func(s liveproof.Sample) bool {
						return slices.Contains(s.Reasons, liveproof.ReasonTimestampsJumped)
					})
					require.GreaterOrEqual(t, v.At-timeline[jump].T, r.policy.MinSpan, "no evidence from before the jump")
					if !isFile {
						require.InDelta(t, (at + jumpSpan + 2200*time.Millisecond).Seconds(), after.Seconds(), 0.8)
					}
				})
			})
		}
	}
}

// TestJumpsDoNotFlood: however often the stream's time jumps, a rejected picture becomes a sample only when the sampling rate asks for
// one, or to end the evidence of a picture that was taken.
func TestJumpsDoNotFlood(t *testing.T) {
	const fps, seconds = 240, 10
	for name, base := range map[string]func(i int) time.Duration{
		"another base every third picture":   func(i int) time.Duration { return time.Duration(i/3%7) * time.Hour },
		"one picture of the old one between": func(i int) time.Duration { return time.Duration(min(1, i%4)*(1+i/4%7)) * time.Hour },
	} {
		s := newSampler(DefaultConfig())
		taken, told := 0, 0
		for i := range fps * seconds {
			at := time.Duration(i) * time.Second / fps
			switch p := s.classify(base(i)+at, at); {
			case p.take:
				taken++
			case p.tell:
				told++
			}
		}
		due := int(seconds * time.Second / DefaultConfig().period())
		require.LessOrEqual(t, taken, due+1, name)
		require.LessOrEqual(t, told, due+taken+1, name)
	}
}

// TestJumpInACall: a call that was live is pending after a jump until it has shown itself again.
func TestJumpInACall(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour, -3 * time.Second} {
		bubble(t, func(t *testing.T) {
			r, v, _ := jumped(t, liveproof.ModeCall, false, func(p *publisher) { p.jump(5*time.Second, by) })
			require.Equal(t, []liveproof.Outcome{isLive, pending, isLive}, r.verdicts())
			require.Equal(t, isLive, v.Outcome)
		})
	}
}

// TestOneBadTimestampIsNoJump: a picture that stands out is rejected, and the others count as before.
func TestOneBadTimestampIsNoJump(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour, 5 * time.Second, -time.Second, halfRange, -halfRange} {
		bubble(t, func(t *testing.T) {
			r, v, after := jumped(t, liveproof.ModeOnboarding, false, func(p *publisher) {
				p.times[20] += by
				p.times[41] += by
			})
			require.Equal(t, isLive, v.Outcome)
			require.Zero(t, r.report.Unscored[liveproof.ReasonTimestampsJumped])
			require.EqualValues(t, 2, r.report.Counts.Dropped)
			require.Less(t, after, 2600*time.Millisecond)
		})
	}
}

// TestJumpingNeverHelps: with jumps of any rhythm live comes no sooner than from the longest part without one.
func TestJumpingNeverHelps(t *testing.T) {
	for _, every := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, time.Second, 1900 * time.Millisecond, 3 * time.Second, 4 * time.Second} {
		for name, by := range map[string]func(part int) time.Duration{
			"to and fro":      func(part int) time.Duration { return time.Duration(part%2) * time.Hour },
			"ever forward":    func(part int) time.Duration { return time.Duration(part) * time.Hour },
			"ever backward":   func(part int) time.Duration { return -time.Duration(part) * time.Hour },
			"a loop":          func(part int) time.Duration { return -time.Duration(part) * every },
			"every other one": func(part int) time.Duration { return time.Duration(part%2) * 4 * time.Second },
		} {
			t.Run(name+" "+every.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					// The first part is too short to be live by itself.
					r, v, _ := jumped(t, liveproof.ModeOnboarding, false, func(p *publisher) {
						for i, at := range p.arrivals {
							if at >= time.Second {
								p.times[i] += by(1 + int((at-time.Second)/every))
							}
						}
					})
					if v.Outcome == isLive {
						require.GreaterOrEqual(t, every, r.policy.MinSpan, "evidence spans a jump")
						require.GreaterOrEqual(t, v.At, time.Second+jumpSpan/2, "sooner than without jumps")
					}
				})
			})
		}
	}
}
