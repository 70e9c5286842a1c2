package challenge

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// actor is a person before a camera, who is seen five times a second and does what is asked, unless told otherwise.
type actor struct {
	t     *testing.T
	asker *Asker
	late  time.Duration // from a step's beginning to its movement
	plays func(i int, m liveproof.Movement) liveproof.Movement
	track int
	again int

	now    time.Duration
	asked  *liveproof.Challenge
	begins time.Duration
	asks   int
}

const held = 900 * time.Millisecond // how long a movement lasts

func newActor(t *testing.T, opts Options, change func(*Config)) *actor {
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	asker, err := NewTurn(cfg, Seed{1}, opts)
	require.NoError(t, err)
	return &actor{t: t, asker: asker, track: 1, late: 500 * time.Millisecond}
}

// movement is the one that the actor makes now, and how far it has got, [0, 1].
func (a *actor) movement() (m liveproof.Movement, share float64) {
	if a.asked == nil {
		return "", 0
	}
	for i, s := range a.asked.Steps {
		since := a.now - a.begins - s.At - a.late
		if since < 0 || since > held {
			continue
		}
		m = s.Movement
		if a.plays != nil {
			m = a.plays(i, m)
		}
		share = math.Sin(math.Pi * float64(since) / float64(held))
	}
	return m, share
}

// view is of a head with the proportions that package liveproof assumes.
func (a *actor) view() liveproof.View {
	m, share := a.movement()
	pose, size := liveproof.Pose{Yaw: 3, Pitch: -8}, 1.0
	switch m {
	case liveproof.MoveLeft:
		pose.Yaw += 28 * share
	case liveproof.MoveRight:
		pose.Yaw -= 28 * share
	case liveproof.MoveNod:
		pose.Pitch += 25 * share
	case liveproof.MoveCloser:
		size += 0.35 * share
	}
	cos := func(degrees float64) float64 { return math.Cos(degrees * math.Pi / 180) }
	eyes, down := float32(20*size*cos(pose.Yaw)), float32(50*size*cos(pose.Pitch))
	face := liveproof.Face{Box: testFace.Box, Landmarks: &liveproof.Landmarks{
		{X: 160 - eyes, Y: 105}, {X: 160 + eyes, Y: 105}, {X: 160, Y: 130}, {X: 160 - eyes, Y: 105 + down}, {X: 160 + eyes, Y: 105 + down},
	}}
	return liveproof.View{T: a.now, Face: face, Pose: &pose, Track: a.track, Restarts: a.again}
}

// until shows views until one brings a finding that holds, or the time is over.
func (a *actor) until(end time.Duration, holds func(liveproof.Finding) bool) (found liveproof.Finding, ok bool) {
	a.t.Helper()
	for ; a.now < end; a.now += 200 * time.Millisecond {
		f, err := a.asker.Examine(context.Background(), a.view())
		require.NoError(a.t, err)
		if f.Ask != nil {
			a.asked, a.begins = f.Ask, a.now+f.Ask.Begin
			a.asks++
		}
		if holds(f) {
			a.now += 200 * time.Millisecond
			return f, true
		}
	}
	return liveproof.Finding{}, false
}

func TestWhoDoesWhatIsAskedPasses(t *testing.T) {
	for seed := range byte(40) { // every movement, at every place of the order
		a := newActor(t, Options{}, nil)
		asker, err := NewTurn(DefaultConfig(), Seed{seed}, Options{})
		require.NoError(t, err)
		a.asker = asker
		found, ok := a.until(9*time.Second, given)
		require.True(t, ok, a.asked.Steps)
		require.Equal(t, []liveproof.Evidence{liveproof.EvidenceTurn}, found.Given)
		require.InDelta(t, 3, found.Signals["turn.steps"], 0)
		require.Equal(t, 1, a.asks)
		require.Less(t, a.now, 7*time.Second)
		_, more := a.until(12*time.Second, func(f liveproof.Finding) bool { return asks(f) || refuses(f) })
		require.False(t, more, "nothing follows")
	}
}

func TestAnswersThatDoNotPass(t *testing.T) {
	const left, right, nod, closer = liveproof.MoveLeft, liveproof.MoveRight, liveproof.MoveNod, liveproof.MoveCloser
	other := func(m liveproof.Movement) liveproof.Movement {
		return map[liveproof.Movement]liveproof.Movement{left: right, right: left, nod: closer, closer: nod}[m]
	}
	for name, c := range map[string]struct {
		change func(*actor)
		why    liveproof.Reason
	}{
		"a still person":     {func(a *actor) { a.plays = func(int, liveproof.Movement) liveproof.Movement { return "" } }, liveproof.ReasonChallengeUnanswered},
		"another movement":   {func(a *actor) { a.plays = func(_ int, m liveproof.Movement) liveproof.Movement { return other(m) } }, liveproof.ReasonChallengeFailed},
		"the last one wrong": {func(a *actor) { a.plays = lastly(other) }, liveproof.ReasonChallengeFailed},
		"the last one left out": {func(a *actor) {
			a.plays = lastly(func(liveproof.Movement) liveproof.Movement { return "" })
		}, liveproof.ReasonChallengeFailed},
		"another order": {func(a *actor) {
			a.plays = func(i int, _ liveproof.Movement) liveproof.Movement { return a.asked.Steps[(i+1)%3].Movement }
		}, liveproof.ReasonChallengeFailed},
		"mirrored": {func(a *actor) {
			a.plays = func(_ int, m liveproof.Movement) liveproof.Movement {
				return map[liveproof.Movement]liveproof.Movement{left: right, right: left, nod: nod, closer: closer}[m]
			}
		}, liveproof.ReasonChallengeFailed},
		"too early": {func(a *actor) { a.late = -300 * time.Millisecond }, liveproof.ReasonChallengeFailed},
		"too late":  {func(a *actor) { a.late = 2700 * time.Millisecond }, liveproof.ReasonChallengeUnanswered},
	} {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			a := newActor(t, Options{Metrics: NewMetrics(registry)}, nil)
			c.change(a)
			found, ok := a.until(25*time.Second, func(f liveproof.Finding) bool { return refuses(f) || given(f) })
			require.True(t, ok)
			require.Equal(t, []liveproof.Reason{c.why}, found.Reasons, a.asked.Steps)
			require.Equal(t, 2, a.asks, "one more try")
			require.Equal(t, 2, a.asked.Attempt)
			require.InDelta(t, 2, testutil.ToFloat64(a.asker.opts.Metrics.challenges.WithLabelValues("turn", string(c.why))), 0)
		})
	}
}

// lastly plays the last of three steps otherwise.
func lastly(play func(liveproof.Movement) liveproof.Movement) func(int, liveproof.Movement) liveproof.Movement {
	return func(i int, m liveproof.Movement) liveproof.Movement {
		if i == 2 {
			return play(m)
		}
		return m
	}
}

func TestSecondTryOfMovementsCanPass(t *testing.T) {
	a := newActor(t, Options{}, nil)
	a.plays = func(int, liveproof.Movement) liveproof.Movement { return "" }
	_, ok := a.until(9*time.Second, func(f liveproof.Finding) bool { return f.Ask != nil && f.Ask.Attempt == 2 })
	require.True(t, ok)
	require.Equal(t, 2*DefaultConfig().Turn.Warning, a.asked.Begin)
	a.plays = nil
	_, ok = a.until(15*time.Second, given)
	require.True(t, ok)
}

// TestTwoTriesFitIntoASession: a first order that fails at its end leaves time for the second one.
func TestTwoTriesFitIntoASession(t *testing.T) {
	a := newActor(t, Options{Deadline: 15 * time.Second, RoundTrip: func() (time.Duration, bool) { return 50 * time.Millisecond, true }}, nil)
	a.plays = lastly(func(liveproof.Movement) liveproof.Movement { return "" })
	_, ok := a.until(15*time.Second, func(f liveproof.Finding) bool { return f.Ask != nil && f.Ask.Attempt == 2 })
	require.True(t, ok)
}

func TestAnswerOfTheOneBeforeDoesNotCount(t *testing.T) {
	for name, change := range map[string]func(*actor){
		"another track":            func(a *actor) { a.track++ },
		"the evidence starts anew": func(a *actor) { a.again++ },
	} {
		t.Run(name, func(t *testing.T) {
			a := newActor(t, Options{}, nil)
			_, ok := a.until(9*time.Second, func(liveproof.Finding) bool { return a.now > a.begins+3*time.Second && a.asked != nil })
			require.True(t, ok)
			first := a.asked.ID
			change(a)
			found, ok := a.until(6*time.Second, func(f liveproof.Finding) bool { return asks(f) || given(f) })
			require.True(t, ok)
			require.Empty(t, found.Given)
			require.NotEqual(t, first, found.Ask.ID)
			require.Equal(t, 1, found.Ask.Attempt, "a new face has its own tries")
			_, ok = a.until(15*time.Second, given)
			require.True(t, ok)
		})
	}
}

// TestFaceThatIsUnseenHasNotAnswered: nobody can say what happened meanwhile.
func TestFaceThatIsUnseenHasNotAnswered(t *testing.T) {
	a := newActor(t, Options{}, func(c *Config) { c.Attempts = 1 })
	_, ok := a.until(9*time.Second, func(liveproof.Finding) bool { return a.asked != nil && a.now > a.begins+time.Second })
	require.True(t, ok)
	a.now += 1500 * time.Millisecond
	found, ok := a.until(15*time.Second, func(f liveproof.Finding) bool { return refuses(f) || given(f) })
	require.True(t, ok)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonChallengeUnanswered}, found.Reasons)
}

func TestOrdersAreDrawnEvenly(t *testing.T) {
	asker, err := NewTurn(DefaultConfig(), Seed{7}, Options{})
	require.NoError(t, err)
	counts := map[[3]liveproof.Movement]int{}
	const draws = 7200
	for range draws {
		order := [3]liveproof.Movement(drawOrder(asker.random, 3))
		require.NotEqual(t, order[0], order[1])
		require.NotEqual(t, order[1], order[2])
		counts[order]++
	}
	require.Len(t, counts, 36)
	for order, n := range counts {
		require.InDelta(t, draws/36, n, 5*math.Sqrt(draws/36), order)
	}
}

func TestDeclinedLightIsReplaced(t *testing.T) {
	declined := ""
	cfg := DefaultConfig()
	registry := prometheus.NewRegistry()
	opts := Options{Alternative: liveproof.EvidenceTurn, Declined: func(id string) bool { return id == declined }, Metrics: NewMetrics(registry)}
	flash, err := NewFlash(cfg, Seed{1}, opts)
	require.NoError(t, err)
	a := &actor{t: t, asker: flash, track: 1, late: 500 * time.Millisecond}
	first, ok := a.until(3*time.Second, asks)
	require.True(t, ok)
	require.Equal(t, liveproof.EvidenceFlash, first.Ask.Kind)
	require.Equal(t, liveproof.EvidenceTurn, first.Ask.Alternative)
	declined = first.Ask.ID
	second, ok := a.until(3*time.Second, asks)
	require.True(t, ok)
	require.Equal(t, liveproof.EvidenceTurn, second.Ask.Kind)
	require.Empty(t, second.Ask.Alternative)
	require.Equal(t, 1, second.Ask.Attempt)
	found, ok := a.until(10*time.Second, given)
	require.True(t, ok)
	require.Equal(t, []liveproof.Evidence{liveproof.EvidenceTurn}, found.Given)
	require.InDelta(t, 1, testutil.ToFloat64(opts.Metrics.challenges.WithLabelValues("flash", "declined")), 0)
	a.track++
	third, ok := a.until(15*time.Second, asks)
	require.True(t, ok)
	require.Equal(t, liveproof.EvidenceTurn, third.Ask.Kind, "who wants no light is not asked for it again")
}

// TestLightWithoutAlternative: the signalling ends such a session; a call goes on with the challenge that was asked.
func TestLightWithoutAlternative(t *testing.T) {
	s := onStage(t, Options{Declined: func(string) bool { return true }}, nil)
	found, ok := s.until(3*time.Second, asks)
	require.True(t, ok)
	require.Empty(t, found.Ask.Alternative)
	_, ok = s.until(3*time.Second, asks)
	require.False(t, ok)
	require.Equal(t, found.Ask.ID, s.flash.open.id)
}

func TestTwoKindsFollowEachOther(t *testing.T) {
	flash, err := NewTurn(DefaultConfig(), Seed{1}, Options{})
	require.NoError(t, err)
	turned, err := NewTurn(DefaultConfig(), Seed{2}, Options{})
	require.NoError(t, err)
	q := Queue{flash, turned}
	a := &actor{t: t, track: 1, late: 500 * time.Millisecond}
	var asked []string
	gave := 0
	for ; a.now < 20*time.Second; a.now += 200 * time.Millisecond {
		f, err := q.Examine(t.Context(), a.view())
		require.NoError(t, err)
		gave += len(f.Given)
		if f.Ask != nil {
			require.Len(t, asked, gave, "only after the one before was passed")
			a.asked, a.begins = f.Ask, a.now+f.Ask.Begin
			asked = append(asked, f.Ask.ID)
		}
	}
	require.Len(t, asked, 2)
	require.Equal(t, 2, gave)
}

// FuzzPoses: no pose, however odd, makes the examiner fail, and nothing is given without three movements.
func FuzzPoses(f *testing.F) {
	f.Add(0.0, 0.0, float32(20), float32(50), int64(200), []byte{1, 2, 3})
	f.Add(math.NaN(), math.Inf(1), float32(0), float32(math.Inf(-1)), int64(-5), []byte{})
	f.Fuzz(func(t *testing.T, yaw, pitch float64, eyes, down float32, step int64, moves []byte) {
		asker, err := NewTurn(DefaultConfig(), Seed{}, Options{})
		require.NoError(t, err)
		at := time.Duration(0)
		views, still := 0, !slices.ContainsFunc(moves, func(b byte) bool { return b%4 != 0 })
		for range 80 {
			pose := liveproof.Pose{Yaw: yaw, Pitch: pitch}
			if len(moves) > 0 {
				pose.Yaw += float64(moves[views%len(moves)]%4) * 12
			}
			views++
			face := liveproof.Face{Landmarks: &liveproof.Landmarks{{}, {X: eyes}, {}, {Y: down}, {X: eyes, Y: down}}}
			found, err := asker.Examine(context.Background(), liveproof.View{T: at, Face: face, Pose: &pose, Track: 1})
			require.NoError(t, err)
			if still {
				require.Empty(t, found.Given)
			}
			at += time.Duration(step % int64(time.Second))
		}
	})
}

func BenchmarkTurnSample(b *testing.B) {
	a := &actor{late: 500 * time.Millisecond}
	v := a.view()
	trial := newTurnTrial(DefaultConfig().Turn, Orders(3)[0], time.Second)
	for range 4 {
		trial.take(-time.Second, v)
	}
	for b.Loop() {
		trial.take(time.Second, v)
		trial.judge(time.Second, nil)
	}
}

// TestFewPicturesAreEnough: every second picture is lost on the way.
func TestFewPicturesAreEnough(t *testing.T) {
	a := newActor(t, Options{}, nil)
	passed := false
	for n := 0; a.now < 9*time.Second && !passed; n++ {
		if n%2 == 0 {
			f, err := a.asker.Examine(context.Background(), a.view())
			require.NoError(t, err)
			if f.Ask != nil {
				a.asked, a.begins = f.Ask, a.now+f.Ask.Begin
				a.asks++
			}
			passed = given(f)
		}
		a.now += 200 * time.Millisecond
	}
	require.True(t, passed)
	require.Equal(t, 1, a.asks)
}
