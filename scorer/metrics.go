package scorer

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Label values of liveproof_scorer_samples_total.
const (
	resultScored    = "scored"
	resultInvalid   = "invalid"   // NaN or ρ outside [0,1], twice
	resultFailed    = "failed"    // its batch failed, twice
	resultCancelled = "cancelled" // its session ended first
	resultShed      = "shed"      // gave way to a newer crop, see liveproof_scorer_shed_total
	resultRefused   = "refused"   // not ready, closed, or no 224×224 crop
)

// Label values of liveproof_scorer_batch_failures_total, per attempt.
const (
	failureError   = "error"
	failurePanic   = "panic"
	failureTimeout = "timeout"
	failureStuck   = "stuck"   // did not stop after its timeout
	failureInvalid = "invalid" // a NaN or ρ outside [0,1] in it
)

// Metrics of the scorer.
type Metrics struct {
	batchSize prometheus.Histogram
	queueWait prometheus.Histogram
	inference prometheus.Histogram
	flushes   *prometheus.CounterVec // reason: full, waited, idle, turn
	shed      *prometheus.CounterVec // reason: session_cap, capacity
	samples   *prometheus.CounterVec // result: see above
	failures  *prometheus.CounterVec // reason: see above
	retries   prometheus.Counter
	swaps     prometheus.Counter
	models    prometheus.Gauge
	waiting   prometheus.Gauge
	ready     prometheus.Gauge
}

// NewMetrics registers the scorer's metrics; a nil registerer leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := factory{promauto.With(reg)}
	return &Metrics{
		batchSize: f.histogram("batch_size", "Crops in one run of the network.", 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256),
		queueWait: f.histogram("queue_wait_seconds", "Time from Score to the start of the crop's batch.",
			.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5),
		inference: f.histogram("inference_seconds", "Time of one run of the network.",
			.0025, .005, .01, .02, .03, .05, .075, .1, .15, .25, .5, 1, 2.5),
		flushes:  f.counters("flushes_total", "Batches sent off, by reason: full, waited, idle, turn.", "reason"),
		shed:     f.counters("shed_total", "Waiting crops dropped for newer ones, by reason: session_cap, capacity.", "reason"),
		samples:  f.counters("samples_total", "Crops, by result: scored, invalid, failed, cancelled, shed, refused.", "result"),
		failures: f.counters("batch_failures_total", "Failed attempts, by reason: error, panic, timeout, stuck, invalid.", "reason"),
		retries:  f.counter("retries_total", "Second attempts."),
		swaps:    f.counter("model_swaps_total", "Models replaced while running."),
		models:   f.gauge("models", "Models in memory: the current one, and replaced ones that sessions still use."),
		waiting:  f.gauge("waiting", "Crops that wait for a batch."),
		ready:    f.gauge("ready", "1 when the scorer is ready, else 0."),
	}
}

// observeModels tells how many models are in memory and whether the current one is ready.
func (m *Metrics) observeModels(n int, ready bool) {
	m.models.Set(float64(n))
	if ready {
		m.ready.Set(1)
	} else {
		m.ready.Set(0)
	}
}

// factory makes and registers metrics under the scorer's prefix.
type factory struct{ promauto.Factory }

const prefix = "liveproof_scorer_"

func (f factory) histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return f.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
}

func (f factory) counters(name, help, label string) *prometheus.CounterVec {
	return f.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{label})
}

func (f factory) counter(name, help string) prometheus.Counter {
	return f.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	return f.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
}
