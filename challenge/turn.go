package challenge

import (
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// reaction is the least time from a step's beginning to its movement: a person sees it, understands it, and begins to move.
	reaction = 200 * time.Millisecond
	// leastLevel is the fewest views before the first movement from which it is known how the head is held. Where pictures are lost there are few.
	leastLevel = 2
	// longestUnseen is for how long the face may be unseen while the answer runs.
	longestUnseen = time.Second
)

// movements are those that a step may ask for.
var movements = [...]liveproof.Movement{liveproof.MoveLeft, liveproof.MoveRight, liveproof.MoveNod, liveproof.MoveCloser}

// turn is the challenge by movement.
type turn struct{ cfg Config }

func (turn) evidence() liveproof.Evidence { return liveproof.EvidenceTurn }
func (t turn) warning() time.Duration     { return t.cfg.Turn.Warning }

func (t turn) length() time.Duration {
	return t.cfg.Turn.duration() + t.cfg.Latency + t.cfg.MaxRoundTrip
}

func (t turn) draw(r *rand.Rand, allowance time.Duration) (trial, liveproof.Challenge) {
	order := drawOrder(r, t.cfg.Turn.Steps)
	steps := make([]liveproof.StepAt, len(order))
	for i, m := range order {
		steps[i] = liveproof.StepAt{At: time.Duration(i) * t.cfg.Turn.Period, Movement: m}
	}
	return newTurnTrial(t.cfg.Turn, order, allowance), liveproof.Challenge{Duration: t.cfg.Turn.duration(), Steps: steps}
}

// drawOrder draws n movements, each another than the one before. All orders are equally probable.
func drawOrder(r *rand.Rand, n int) []liveproof.Movement {
	order := make([]liveproof.Movement, n)
	last := -1
	for i := range order {
		next := r.IntN(len(movements) - indicator(last >= 0))
		if last >= 0 && next >= last {
			next++
		}
		order[i], last = movements[next], next
	}
	return order
}

// turnTrial follows the head through the steps of an order.
type turnTrial struct {
	cfg       TurnConfig
	order     []liveproof.Movement
	allowance time.Duration

	head  head
	done  int           // steps that were done in their order
	moved bool          // there was a movement, right or wrong
	wrong bool          // one that was not asked for, or not then
	last  time.Duration // newest view that shows the pose, from the beginning on
	blind bool          // the face was not seen for too long
}

func newTurnTrial(cfg TurnConfig, order []liveproof.Movement, allowance time.Duration) *turnTrial {
	return &turnTrial{cfg: cfg, order: order, allowance: allowance, head: head{cfg: cfg}}
}

func (t *turnTrial) take(at time.Duration, v liveproof.View) {
	if p, ok := placed(v); ok {
		t.see(at, p)
	}
}

// see takes the place of a head.
func (t *turnTrial) see(at time.Duration, p place) {
	switch {
	case at < reaction:
		t.head.rest(p)
		t.last = max(0, at)
		return
	case !t.head.known():
		t.blind = true
		return
	}
	t.blind = t.blind || at-t.last > longestUnseen
	t.last = at
	if m := t.head.move(p); m != "" {
		t.step(m, at)
	}
}

// step takes a movement that begins at this time. The one of the step before may come again within its time: who nods often nods twice.
func (t *turnTrial) step(m liveproof.Movement, at time.Duration) {
	t.moved = true
	i := t.done
	switch {
	case i < len(t.order) && m == t.order[i] && at >= t.begin(i)+reaction && at < t.end(i):
		t.done++
	case i > 0 && m == t.order[i-1] && at < t.end(i-1):
	default:
		t.wrong = true
	}
}

// begin and end are the time of a step's movement.
func (t *turnTrial) begin(i int) time.Duration { return time.Duration(i) * t.cfg.Period }
func (t *turnTrial) end(i int) time.Duration   { return t.begin(i+1) + t.allowance }

// signals are how the head is turned, compared with how it was held, and the steps that are done; none before the beginning.
func (t *turnTrial) signals() map[string]float64 {
	if !t.head.settled {
		return nil
	}
	yaw, pitch, size := t.head.away()
	return map[string]float64{"turn.steps": float64(t.done), "turn.yaw": yaw, "turn.pitch": pitch, "turn.size": size}
}

// judge decides as soon as an answer is right, or cannot become right any more.
func (t *turnTrial) judge(at time.Duration, _ *rand.Rand) (got answer, done bool) {
	got = answer{seen: t.moved && !t.blind, signals: t.signals()}
	switch {
	case t.wrong, t.blind:
		return got, true
	case t.done == len(t.order):
		got.passed = true
		return got, true
	}
	late := at >= t.end(t.done)
	got.seen = got.seen && t.last >= t.end(t.done)-longestUnseen
	return got, late
}
