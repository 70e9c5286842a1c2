package injection

import (
	"context"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// Watch is one session's measurement. Its methods may be called from different goroutines.
type Watch struct {
	cfg      Config
	metrics  *Metrics
	attested *attestation // nil: nobody verifies

	mu         sync.Mutex
	sender     func() liveproof.Sender // nil: nothing is known of the sender
	browser    *bool                   // nil until the offer was read
	ask        func(liveproof.Probe)   // nil: nobody can be asked, or the configuration does not
	cadence    cadence
	probe      prober
	reports    reports
	encoder    encoder
	quantisers quantisers
	changes    changes
	views      views
	stream     int
	signs      map[string]bool // signals that came near to their ceiling, and were counted
	counted    map[string]bool // signals that metrics has counted for this session
}

// New returns the measurement of a session. A nil attestor verifies nothing; nil metrics count for nobody.
func New(cfg Config, id liveproof.SessionID, attestor Attestor, metrics *Metrics) *Watch {
	if metrics == nil {
		metrics = NewMetrics(nil)
	}
	w := &Watch{cfg: cfg, metrics: metrics, counted: map[string]bool{}, signs: map[string]bool{}}
	if attestor != nil {
		w.attested = newAttestation(cfg.Attestation, attestor, id, metrics.countAttested)
	}
	return w
}

// follow lets the watch ask what is known of the sender.
func (w *Watch) follow(source liveproof.SenderSource) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sender = source.Sender
	if probed, ok := source.(liveproof.ProbedSource); ok && w.cfg.Probe == ProbeAuto {
		w.ask = probed.Probe
	}
}

// unit observes an access unit as it came. Its data is borrowed.
func (w *Watch) unit(u *liveproof.AccessUnit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s liveproof.Sender
	if w.sender != nil {
		s = w.sender()
	}
	if w.browser == nil {
		claims := claimsBrowser(s.Offer)
		w.browser = &claims
	}
	if u.Stream != w.stream { // another stream has a clock and an encoder of its own
		w.stream, w.cadence, w.encoder, w.changes = u.Stream, cadence{}, encoder{}, changes{}
		w.reports, w.quantisers = reports{}, quantisers{}
		w.probe.interrupt()
	}
	w.probing(u, s.Adjusts)
	w.cadence.observe(u.PTS, u.ArrivedAt, u.Gap)
	w.reports.observe(u, s.Report)
	w.encoder.observe(u, s.KeyFrameRequests)
	w.quantisers.observe(u)
}

// probing asks the client once, and looks for the effect. It comes before the cadence has seen the unit.
func (w *Watch) probing(u *liveproof.AccessUnit, adjusts bool) {
	if w.ask == nil {
		return
	}
	if probe, ok := w.probe.ready(w.cadence.rate(), time.Now()); ok {
		w.ask(probe)
	}
	if c := &w.cadence; c.started {
		if result := w.probe.observe(step{u.PTS - c.last, c.arrived}, u.Gap, adjusts, u.ArrivedAt); result != "" {
			w.metrics.probes.WithLabelValues(result).Inc()
		}
	}
}

// Picture observes a decoded picture by its thumbnail.
func (w *Watch) Picture(at time.Duration, cells *liveproof.Thumbnail) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes.observe(at, cells)
}

// Examine measures a sampled picture, and tells what all measurements so far say. It implements pipeline.Examiner.
func (w *Watch) Examine(ctx context.Context, v liveproof.View) (liveproof.Finding, error) {
	attested := w.attest(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.views.observe(v.Image)
	signals := w.measured(attested)
	found := liveproof.Finding{Signals: signals}
	w.countSigns(signals)
	risk, _ := liveproof.InjectionOf(signals)
	suspected := risk.Risk >= w.cfg.Threshold
	if suspected && !w.counted[risk.Signal] {
		w.counted[risk.Signal] = true
		w.metrics.suspected.WithLabelValues(risk.Signal).Inc()
	}
	unproved := w.cfg.Attestation.Require && attested != attestedTrue
	if unproved && !suspected {
		signals[liveproof.InjectionUnattested] = 1
	}
	if w.cfg.Withhold == WithholdAuto && (suspected || unproved) {
		found.Reasons = []liveproof.Reason{liveproof.ReasonInjectionSuspected}
	}
	return found, nil
}

// countSigns counts the session once for each risk that came near to its ceiling.
func (w *Watch) countSigns(signals map[string]float64) {
	for name, ceiling := range ceilings {
		if signals[liveproof.InjectionRiskPrefix+name] >= nearCeiling*ceiling && !w.signs[name] {
			w.signs[name] = true
			w.metrics.signs.WithLabelValues(name).Inc()
		}
	}
}

// attest asks the attestation for its result so far, outside the lock.
func (w *Watch) attest(ctx context.Context) attested {
	if w.attested == nil {
		return attestedUnknown
	}
	w.mu.Lock()
	sender := w.sender
	w.mu.Unlock()
	statement := ""
	if sender != nil {
		statement = sender().Attestation
	}
	return w.attested.result(ctx, statement)
}
