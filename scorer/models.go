package scorer

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/liveproof/liveproof"
)

// models keeps the models in memory that somebody uses: the current one, which new pins
// get, and replaced ones until their last use ends.
type models struct {
	threshold int // batches failed in a row that make a model not ready
	metrics   *Metrics
	log       *slog.Logger
	closing   sync.WaitGroup // replaced models being freed

	mu  sync.Mutex
	set modelSet
}

func newModels(cfg Config, backend Backend, metrics *Metrics, log *slog.Logger) *models {
	m := &models{threshold: cfg.FailureThreshold, metrics: metrics, log: log}
	m.change(func(s *modelSet) { s.replace(&loaded{backend: backend, owner: m}) })
	return m
}

// change is the way to the set: it takes the lock, tells the metrics what f left, and
// frees the replaced models whose last use has ended.
func (m *models) change(f func(*modelSet)) {
	for _, unused := range m.locked(f) {
		m.free(unused)
	}
}

// locked returns the models to free, which takes too long for the lock.
func (m *models) locked(f func(*modelSet)) (unused []*loaded) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.set)
	unused = m.set.takeUnused()
	m.closing.Add(len(unused))
	m.metrics.observeModels(m.set.size(), m.set.readiness() == nil)
	return unused
}

func (m *models) free(unused *loaded) {
	defer m.closing.Done()
	info := unused.backend.Info()
	if err := unused.backend.Close(); err != nil {
		m.log.Warn("replaced model was not freed", "model", info.Name, "error", err)
		return
	}
	m.log.Info("replaced model freed", "model", info.Name, "sha256", info.SHA256)
}

// pin adds a use of the current model.
func (m *models) pin() (current *loaded, err error) {
	m.change(func(s *modelSet) {
		if s.closed || s.current == nil {
			err = errClosing()
			return
		}
		current = s.current
		current.state.users++
	})
	return current, err
}

// info identifies the current model.
func (m *models) info() (info liveproof.ModelInfo) {
	m.change(func(s *modelSet) {
		if s.current != nil {
			info = s.current.backend.Info()
		}
	})
	return info
}

// room is nil when swap would take another model.
func (m *models) room() (err error) {
	m.change(func(s *modelSet) { err = s.room() })
	return err
}

// swap makes next the current model. The old one goes when its last use ends.
func (m *models) swap(next Backend) error {
	var old *loaded
	var inUse bool
	var err error
	m.change(func(s *modelSet) {
		if err = s.room(); err == nil {
			old = s.replace(&loaded{backend: next, owner: m})
			inUse = old.state.users > 0
			old.state.users++ // until the log has told of the swap
		}
	})
	if err != nil {
		return err
	}
	defer old.release()
	m.metrics.swaps.Inc()
	was, is := old.backend.Info(), next.Info()
	m.log.Info("model replaced", "old", was.Name, "new", is.Name, "sha256", is.SHA256, "old_in_use", inUse)
	return nil
}

// start notes that crops are scored from now on.
func (m *models) start() {
	m.change(func(s *modelSet) { s.running = true })
}

// close refuses every crop from now on; the models stay for those under way.
func (m *models) close() {
	m.change(func(s *modelSet) { s.closed = true })
}

// ready is nil when new sessions may be scored by the current model.
func (m *models) ready() (err error) {
	m.change(func(s *modelSet) { err = s.readiness() })
	return err
}

// takeUnready gives the models to probe, each with a use that endProbe ends.
func (m *models) takeUnready() (unready []*loaded) {
	m.change(func(s *modelSet) { unready = s.takeUnready() })
	return unready
}

func (m *models) endProbe(probed *loaded) {
	m.change(func(*modelSet) {
		probed.state.probing = false
		probed.state.users--
	})
}

// anyStuck reports whether a run of some model did not stop.
func (m *models) anyStuck() (stuck bool) {
	m.change(func(s *modelSet) { stuck = s.anyStuck() })
	return stuck
}

// freeAll closes the models, used or not, but not one in whose run a batch is stuck:
// its memory is left to the end of the process. Nothing may run any more.
func (m *models) freeAll() error {
	var freed, stuck []*loaded
	m.change(func(s *modelSet) {
		for _, each := range s.all() {
			if each.state.stuck > 0 {
				stuck = append(stuck, each)
			} else {
				freed = append(freed, each)
			}
		}
		s.current, s.retired = nil, nil
	})
	m.closing.Wait()
	var errs []error
	for range stuck {
		errs = append(errs, ErrStuck)
	}
	for _, each := range freed {
		errs = append(errs, each.backend.Close())
	}
	return errors.Join(errs...)
}
