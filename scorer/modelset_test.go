package scorer

import (
	"errors"
	"slices"
	"testing"

	"github.com/liveproof/liveproof"
)

// setOf is a running set; the last model is the current one.
func setOf(all ...*loaded) *modelSet {
	s := &modelSet{running: true}
	for _, m := range all {
		s.replace(m)
	}
	return s
}

func unready(cause error) *loaded {
	return &loaded{state: loadedState{health: health{cause: cause}}}
}

func TestModelSetListsTheCurrentModelFirst(t *testing.T) {
	a, b, c := &loaded{}, &loaded{}, &loaded{}
	s := setOf(a, b, c)
	if got := s.all(); !slices.Equal(got, []*loaded{c, a, b}) {
		t.Errorf("all = %v", got)
	}
	if a.number != 1 || b.number != 2 || c.number != 3 {
		t.Errorf("numbers %d, %d, %d", a.number, b.number, c.number)
	}
	if got := (&modelSet{}).all(); len(got) != 0 {
		t.Errorf("an empty set has %d models", len(got))
	}
}

func TestModelSetHasRoomForThreeModels(t *testing.T) {
	s := setOf(&loaded{}, &loaded{})
	if err := s.room(); err != nil {
		t.Errorf("beside two: %v", err)
	}
	s.replace(&loaded{})
	if err := s.room(); !errors.Is(err, ErrModels) {
		t.Errorf("beside three: %v", err)
	}
	s.closed = true
	if err := s.room(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := (&modelSet{}).room(); !errors.Is(err, ErrClosed) {
		t.Errorf("without models: %v", err)
	}
}

func TestModelSetGivesUpUnusedRetiredModelsOnly(t *testing.T) {
	unused, used, current := &loaded{}, &loaded{state: loadedState{users: 1}}, &loaded{}
	s := setOf(unused, used, current)
	if got := s.takeUnused(); !slices.Equal(got, []*loaded{unused}) {
		t.Errorf("unused = %v", got)
	}
	if got := s.takeUnused(); len(got) != 0 || !slices.Equal(s.all(), []*loaded{current, used}) {
		t.Errorf("again unused = %v, left %v", got, s.all())
	}
}

func TestModelSetProbesEachUnreadyModelOnce(t *testing.T) {
	broken, fine, hangs := unready(errBroken), &loaded{}, unready(errBroken)
	hangs.state.stuck = 1
	s := setOf(broken, fine, hangs)
	if got := s.takeUnready(); !slices.Equal(got, []*loaded{broken}) || broken.state.users != 1 {
		t.Errorf("to probe: %v with %d uses", got, broken.state.users)
	}
	if got := s.takeUnready(); len(got) != 0 {
		t.Errorf("probed twice at once: %v", got)
	}
	if !s.anyStuck() {
		t.Error("the stuck run is not seen")
	}
	hangs.state.stuck, broken.state.probing = 0, false
	if got := s.takeUnready(); !slices.Equal(got, []*loaded{hangs, broken}) || s.anyStuck() {
		t.Errorf("to probe after the run came back: %v", got)
	}
}

func TestModelSetReadiness(t *testing.T) {
	waiting, closed := setOf(&loaded{}), setOf(&loaded{})
	waiting.running, closed.closed = false, true
	cases := []struct {
		name string
		set  *modelSet
		want error // nil: ready
	}{
		{"healthy", setOf(&loaded{}), nil},
		{"an old model is broken", setOf(unready(errBroken), &loaded{}), nil},
		{"the current model is broken", setOf(&loaded{}, unready(errBroken)), errBroken},
		{"before Run", waiting, ErrNotReady},
		{"closed", closed, ErrClosed},
		{"freed", &modelSet{running: true}, ErrClosed},
	}
	for _, c := range cases {
		err := c.set.readiness()
		if !errors.Is(err, c.want) || c.want != nil && !errors.Is(err, liveproof.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestHealthTurnsAfterFailuresInARow(t *testing.T) {
	var h health
	fail := func(stuck bool) bool { return h.failed(errBroken, stuck, 3) }
	turned := func(n int) (times []int) {
		for i := range n {
			if fail(false) {
				times = append(times, i+1)
			}
		}
		return times
	}
	if at := turned(2); at != nil || h.cause != nil {
		t.Error("not ready below the threshold")
	}
	if back, failures := h.succeeded(); back || failures != 2 {
		t.Errorf("a success among failures: turned %v after %d", back, failures)
	}
	if at := turned(4); len(at) != 1 || at[0] != 3 || h.cause == nil {
		t.Error("the model must become not ready at the third failure in a row, once")
	}
	if turned, failures := h.succeeded(); !turned || failures != 4 || h != (health{}) {
		t.Errorf("recovery: turned %v after %d", turned, failures)
	}
	if !fail(true) {
		t.Error("one stuck run is enough")
	}
}
