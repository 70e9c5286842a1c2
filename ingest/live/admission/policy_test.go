package admission

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rate    = 5. // samples a second of a session
	step    = 100 * time.Millisecond
	connect = 400 * time.Millisecond // from a creation to the first video
	// enough is the part of its samples that a session must get: 4.5 of 5 a second.
	enough = 0.9
)

// machine simulates a server: sessions that share the cores, and the policy that admits them.
type machine struct {
	*Policy
	turnover Turnover
	cores    float64
	others   float64 // cores that other processes take
	cost     float64 // cores that a session uses at the full rate
	relaxed  float64 // samples a second of running sessions, if less than rate; each sample is half of the cost
	scorer   float64 // of the scorer's workers, that a session takes

	now        time.Time
	connecting []time.Time // when each will stream
	streaming  []time.Time // when each ends
	lasts      time.Duration
	r          Reading
	worst      float64 // the least part of its samples that a session got
	most       int
	refused    map[Reason]int
}

func newMachine() *machine {
	m := &machine{
		Policy: New(rate), cores: 2, cost: .1, lasts: time.Hour, now: time.Unix(0, 0),
		r: Reading{Cores: 2}, worst: 1, refused: map[Reason]int{},
	}
	m.Observe(m.now, m.r)
	return m
}

// arrive creates a session if the policy lets it.
func (m *machine) arrive() bool {
	why := m.Admit(Sessions{Connecting: len(m.connecting), Streaming: len(m.streaming)})
	if why != "" {
		m.refused[why]++
		return false
	}
	m.connecting = append(m.connecting, m.now.Add(connect))
	return true
}

// each session's work: pictures cost half, samples the other half.
func (m *machine) demand() float64 {
	part := 1.
	if m.relaxed > 0 {
		part = .5 + .5*m.relaxed/rate
	}
	return float64(len(m.streaming)) * m.cost * part
}

// run lets time pass, with so many arrivals a second.
func (m *machine) run(span time.Duration, arrivals float64) {
	due := 0.
	for range span / step {
		m.now = m.now.Add(step)
		for due += arrivals * step.Seconds(); due >= 1; due-- {
			m.arrive()
		}
		m.move()
		m.work()
	}
}

func (m *machine) move() {
	kept := m.streaming[:0]
	for _, ends := range m.streaming {
		if m.now.Before(ends) {
			kept = append(kept, ends)
		} else {
			m.turnover.Freed(m.now)
		}
	}
	m.streaming = kept
	for len(m.connecting) > 0 && !m.now.Before(m.connecting[0]) {
		m.connecting = m.connecting[1:]
		m.streaming = append(m.streaming, m.now.Add(m.lasts))
	}
	m.most = max(m.most, len(m.streaming))
}

// work shares the cores out and takes a reading.
func (m *machine) work() {
	demand, supply := m.demand(), m.cores-m.others
	part := 1.
	if demand > supply {
		part = supply / demand
	}
	samples := rate
	if m.relaxed > 0 {
		samples = m.relaxed
	}
	m.worst = min(m.worst, part)
	seconds := step.Seconds()
	m.r.Cores, m.r.Streaming = m.cores, len(m.streaming)
	m.r.CPU += demand * part * seconds
	m.r.Idle += max(supply-demand, 0) * seconds
	m.r.Samples += samples * part * float64(len(m.streaming)) * seconds
	approach(&m.r.Scorer, m.scorer*float64(len(m.streaming)), 1-math.Exp(-seconds/Settle.Seconds()))
	m.Observe(m.now, m.r)
}

// fits is how many sessions at the full rate the machine holds.
func (m *machine) fits() int { return int(Target * (m.cores - m.others) / m.cost) }

// TestArrivalsBeyondCapacity: at twice the capacity for minutes, no running session gets too little, and
// the places are used.
func TestArrivalsBeyondCapacity(t *testing.T) {
	for name, c := range map[string]func(*machine){
		"two cores":                 func(*machine) {},
		"costly sessions":           func(m *machine) { m.cost = .45 },
		"costlier than guessed":     func(m *machine) { m.cost = .8 },
		"cheap sessions":            func(m *machine) { m.cost = .02 },
		"64 cores":                  func(m *machine) { m.cores = 64 },
		"half a core":               func(m *machine) { m.cores, m.cost = .5, .05 },
		"another process eats one":  func(m *machine) { m.others = 1 },
		"short sessions":            func(m *machine) { m.lasts = 8 * time.Second },
		"short and costly":          func(m *machine) { m.lasts, m.cost = 5*time.Second, .3 },
		"the scorer is the smaller": func(m *machine) { m.scorer = .1 },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine()
			c(m)
			m.r.Cores = m.cores
			m.Policy = New(rate)
			m.Observe(m.now, m.r)
			fits := m.fits()
			if m.scorer > 0 {
				fits = min(fits, int(Target/m.scorer))
			}
			arrivals := 2 * float64(fits) / min(m.lasts, time.Minute).Seconds()
			m.run(4*time.Minute, max(arrivals, .5))
			require.GreaterOrEqual(t, m.worst, enough)
			require.LessOrEqual(t, m.most, max(fits, 1))
			require.NotEmpty(t, m.refused)
			require.GreaterOrEqual(t, float64(m.most), .75*float64(fits), "the places are used")
		})
	}
}

// TestBurst: of 100 creations at once, a cold server admits only a few. Of the next 100, after the first ones are
// measured, it admits no more than fit.
func TestBurst(t *testing.T) {
	m := newMachine()
	admitted := 0
	for range 100 {
		if m.arrive() {
			admitted++
		}
	}
	require.Equal(t, 4, admitted, "two cores at 0.4 each")
	require.Equal(t, map[Reason]int{Settling: 96}, m.refused)
	for range 10 {
		m.run(3*time.Second, 0)
		for range 100 {
			m.arrive()
		}
	}
	require.InDelta(t, m.fits(), m.most, 1)
	require.GreaterOrEqual(t, m.worst, enough)
}

func TestOneSessionIsAlwaysTaken(t *testing.T) {
	m := newMachine()
	m.others = 2
	m.run(time.Minute, 0)
	require.True(t, m.arrive(), "a busy machine still serves one")
	m.run(time.Minute, 1)
	require.Equal(t, 1, m.most)
	require.Greater(t, m.refused[CPU], 50)
}

func TestPlacesBecomeFreeAgain(t *testing.T) {
	m := newMachine()
	m.run(2*time.Minute, 1)
	full := len(m.streaming)
	require.InDelta(t, m.fits(), full, 1)
	require.False(t, m.arrive())
	m.streaming = m.streaming[:full/2]
	m.run(Settle, 0)
	require.True(t, m.arrive())
	m.run(time.Minute, 1)
	require.InDelta(t, m.fits(), len(m.streaming), 1)
}

func TestCostChanges(t *testing.T) {
	m := newMachine()
	m.run(2*time.Minute, 1)
	before := len(m.streaming)
	m.cost /= 2
	m.run(2*time.Minute, 1)
	require.InDelta(t, 2*before, len(m.streaming), 2, "cheaper sessions: more of them")
	m.cost *= 1.5
	m.worst = 1
	grown := len(m.streaming)
	m.run(2*time.Minute, 1)
	require.LessOrEqual(t, len(m.streaming), grown, "costlier sessions: no more are admitted")
}

func TestOtherProcessTakesACore(t *testing.T) {
	m := newMachine()
	m.others = 1
	m.run(time.Minute, 2)
	require.InDelta(t, m.fits(), len(m.streaming), 1)
	m.others = 0
	m.run(time.Minute, 2)
	require.InDelta(t, m.fits(), len(m.streaming), 1)
	running := len(m.streaming)
	m.others = 1
	m.run(time.Minute, 2)
	require.Equal(t, running, len(m.streaming), "nobody is sent away, and nobody is let in")
}

// TestRelaxedSessionsDoNotMakeNewOnesLookCheap: running calls sample once a second, at 60 % of the full
// cost. A session that is not seen yet counts at least with its full cost.
func TestRelaxedSessionsDoNotMakeNewOnesLookCheap(t *testing.T) {
	m := newMachine()
	m.relaxed = 1
	m.run(time.Minute, .2)
	require.GreaterOrEqual(t, m.View().Cost, m.cost)
	require.GreaterOrEqual(t, m.worst, enough)
	use := m.View().CPU
	admitted := 0
	for m.arrive() {
		admitted++
	}
	require.LessOrEqual(t, use+float64(admitted)*m.cost/m.cores, Target)
}

// TestRelaxedCallsRiseTogether: more relaxed calls fit than busy ones. When all become busy at once, each gets a part
// of its samples, as the queues drop the older ones. No session is admitted until enough of them have ended.
func TestRelaxedCallsRiseTogether(t *testing.T) {
	m := newMachine()
	m.relaxed = 1
	m.run(5*time.Minute, 1)
	require.Greater(t, m.most, m.fits())
	require.GreaterOrEqual(t, m.worst, enough)
	m.relaxed = 0
	m.run(time.Minute, 1)
	require.Less(t, m.worst, enough)
	require.Greater(t, m.worst, .5)
	rising := len(m.streaming)
	m.run(time.Minute, 1)
	require.Len(t, m.streaming, rising)
	m.streaming = m.streaming[:m.fits()]
	m.worst = 1
	m.run(time.Minute, 1)
	require.GreaterOrEqual(t, m.worst, enough)
	require.LessOrEqual(t, len(m.streaming), m.fits()+1)
}

// TestUnsteadyMachine: the load of other processes changes at random every second. In a quiet second no more sessions
// are admitted than still get their samples in a busy one.
func TestUnsteadyMachine(t *testing.T) {
	m := newMachine()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 * 60 {
		m.others = .3 * r.Float64()
		m.run(time.Second, 1)
	}
	require.GreaterOrEqual(t, m.worst, enough)
	require.LessOrEqual(t, float64(m.most), 1.85/m.cost*Target+1, "beside the mean of the others")
}

// TestUnknownProcessor: without readings of the CPU only the scorer's use counts.
func TestUnknownProcessor(t *testing.T) {
	m := newMachine()
	m.Policy = New(rate)
	s := Sessions{Streaming: 10}
	for range 200 {
		m.now = m.now.Add(step)
		m.r.Samples += 10 * rate * step.Seconds()
		m.Observe(m.now, Reading{Scorer: .5, Samples: m.r.Samples, Streaming: 10})
	}
	require.Empty(t, m.Admit(s))
	m.now = m.now.Add(step)
	m.Observe(m.now, Reading{Scorer: .84, Samples: m.r.Samples, Streaming: 10})
	require.Equal(t, Scorer, m.Admit(s))
}

// TestReadingThatFails: the totals since the start of process and machine, which the next reading brings, are not taken
// for the use of half a second.
func TestReadingThatFails(t *testing.T) {
	m := newMachine()
	m.r.CPU, m.r.Idle = 1e5, 1e6 // it has run for days
	for range 2 {
		m.Observe(m.now, m.r)
		m.run(time.Minute, .1)
		use, cost, running := m.View().CPU, m.View().Cost, len(m.streaming)
		m.now = m.now.Add(step)
		m.Observe(m.now, Reading{Samples: m.r.Samples, Streaming: running})
		m.run(2*step, 0)
		require.InDelta(t, use, m.View().CPU, .02)
		require.InDelta(t, cost, m.View().Cost, .01)
		require.True(t, m.arrive())
	}
	m.Policy = New(rate)
	m.Observe(m.now, Reading{})
	m.run(time.Minute, 0)
	require.InDelta(t, m.cost, m.View().Cost, .01, "the first reading failed")
}

func TestUnknownIdleTimeCountsTheOwnLimit(t *testing.T) {
	p := New(rate)
	p.Observe(time.Unix(0, 0), Reading{Cores: 4, Idle: math.NaN()})
	p.Observe(time.Unix(1, 0), Reading{Cores: 4, Idle: math.NaN()})
	require.Equal(t, 4., p.cpu.available)
}

// FuzzReadings: whatever the readings are, the policy answers, and an empty server takes a session.
func FuzzReadings(f *testing.F) {
	f.Add(2., .1, 1.9, .5, 5., int64(1e9), 3)
	f.Fuzz(func(t *testing.T, cores, used, idle, scorer, samples float64, span int64, streaming int) {
		p, now := New(rate), time.Unix(0, 0)
		for range 3 {
			p.Observe(now, Reading{Cores: cores, CPU: used, Idle: idle, Scorer: scorer, Samples: samples, Streaming: streaming})
			now = now.Add(time.Duration(span))
			cores, used, idle, samples = -cores, used*2, idle*3, samples*2
		}
		p.Admit(Sessions{Streaming: streaming})
		require.Empty(t, p.Admit(Sessions{}))
	})
}

func TestTurnover(t *testing.T) {
	now := time.Unix(0, 0)
	for name, c := range map[string]struct {
		every time.Duration
		want  time.Duration
	}{
		"ten a second": {100 * time.Millisecond, time.Second},
		"each second":  {time.Second, time.Second},
		"each 5 s":     {5 * time.Second, 5 * time.Second},
		"each minute":  {time.Minute, 30 * time.Second},
	} {
		var turnover Turnover
		for at := time.Duration(0); at < 10*time.Minute; at += c.every {
			now = now.Add(c.every)
			turnover.Freed(now)
		}
		require.InDelta(t, c.want, turnover.Wait(now), float64(time.Second), name)
		require.Equal(t, 30*time.Second, turnover.Wait(now.Add(time.Hour)), name)
	}
	require.Equal(t, 30*time.Second, new(Turnover).Wait(now))
}
