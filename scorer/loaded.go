package scorer

// loaded is one model in memory, with its own health, so that a broken model fails its
// own sessions only. Its methods may be called from any goroutine.
type loaded struct {
	backend Backend
	number  uint64 // counts models from 1
	owner   *models
	state   loadedState // read and written within models.change only
}

type loadedState struct {
	users   int // pins, items, runs, probes
	stuck   int // runs that did not stop after their timeout
	probing bool
	health  health
}

// acquire keeps the model in memory for one more crop, or says why it takes none. The
// caller uses the model already.
func (m *loaded) acquire() (err error) {
	m.owner.change(func(s *modelSet) {
		if err = s.refusal(m); err == nil {
			m.state.users++
		}
	})
	return err
}

// retain adds a use for someone who uses the model already.
func (m *loaded) retain() {
	m.owner.change(func(*modelSet) { m.state.users++ })
}

// release ends one use. The last one frees a replaced model.
func (m *loaded) release() {
	m.owner.change(func(*modelSet) { m.state.users-- })
}

// countStuck adds to the runs that did not stop after their timeout.
func (m *loaded) countStuck(change int) {
	m.owner.change(func(*modelSet) { m.state.stuck += change })
}

// failed counts a batch of which no sample could be scored.
func (m *loaded) failed(cause error, stuck bool) {
	var turned, current bool
	var failures int
	m.owner.change(func(s *modelSet) {
		turned = m.state.health.failed(cause, stuck, m.owner.threshold)
		failures, current = m.state.health.failures, m == s.current
	})
	if turned {
		m.owner.log.Error("model is not ready", "model", m.backend.Info().Name, "current", current,
			"failed_batches", failures, "error", cause)
	}
}

// succeeded notes a batch of which a sample was scored.
func (m *loaded) succeeded() {
	var turned bool
	var failures int
	m.owner.change(func(*modelSet) { turned, failures = m.state.health.succeeded() })
	if turned {
		m.owner.log.Info("model is ready again", "model", m.backend.Info().Name, "failed_batches", failures)
	}
}
