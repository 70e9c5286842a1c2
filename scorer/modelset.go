package scorer

import (
	"fmt"
	"slices"

	"github.com/liveproof/liveproof"
)

// maxModels is the most models in memory at once: the current one, and replaced
// ones that sessions are still pinned to.
const maxModels = 3

// modelSet is which models are in memory and what they are good for. It has no lock, no
// clock and no side effects; models.change alone hands it out.
type modelSet struct {
	current *loaded   // nil once the models were taken to be freed
	retired []*loaded // replaced ones that are still used
	made    uint64    // how many there have been
	running bool      // Run has begun
	closed  bool      // nothing is scored any more
}

// replace makes next the current model; the one before it retires.
func (s *modelSet) replace(next *loaded) (old *loaded) {
	old = s.current
	if old != nil {
		s.retired = append(s.retired, old)
	}
	s.made++
	next.number = s.made
	s.current = next
	return old
}

// all are the models in memory, the current one first.
func (s *modelSet) all() []*loaded {
	if s.current == nil {
		return s.retired
	}
	return append([]*loaded{s.current}, s.retired...)
}

// size is the number of models in memory.
func (s *modelSet) size() int {
	if s.current == nil {
		return len(s.retired)
	}
	return 1 + len(s.retired)
}

// room is nil when one more model may be in memory.
func (s *modelSet) room() error {
	if s.closed || s.current == nil {
		return ErrClosed
	}
	if s.size() >= maxModels {
		return fmt.Errorf("%w: sessions still use %d replaced ones; swap again when those sessions have ended", ErrModels, len(s.retired))
	}
	return nil
}

// refusal says why a crop for m is not even queued. Before Run crops may wait for it.
func (s *modelSet) refusal(m *loaded) error {
	switch {
	case s.closed || s.current == nil:
		return errClosing()
	case m.state.health.cause != nil:
		return fmt.Errorf("%w: %w: %w", liveproof.ErrUnavailable, ErrNotReady, m.state.health.cause)
	}
	return nil
}

// readiness is nil when new sessions may be scored.
func (s *modelSet) readiness() error {
	if err := s.refusal(s.current); err != nil {
		return err
	}
	if !s.running {
		return fmt.Errorf("%w: %w: it does not run yet", liveproof.ErrUnavailable, ErrNotReady)
	}
	return nil
}

// takeUnused removes the retired models that nothing uses any more.
func (s *modelSet) takeUnused() (unused []*loaded) {
	s.retired = slices.DeleteFunc(s.retired, func(m *loaded) bool {
		if m.state.users > 0 {
			return false
		}
		unused = append(unused, m)
		return true
	})
	return unused
}

// takeUnready gives the models to probe and adds a use to each: those not ready and not
// being probed. One with a stuck run is left alone, or it would take one worker after
// the other.
func (s *modelSet) takeUnready() (unready []*loaded) {
	for _, m := range s.all() {
		if m.state.health.cause == nil || m.state.probing || m.state.stuck > 0 {
			continue
		}
		m.state.probing = true
		m.state.users++
		unready = append(unready, m)
	}
	return unready
}

// anyStuck reports whether a run of some model did not stop.
func (s *modelSet) anyStuck() bool {
	return slices.ContainsFunc(s.all(), func(m *loaded) bool { return m.state.stuck > 0 })
}
