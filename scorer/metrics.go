package scorer

import "github.com/prometheus/client_golang/prometheus"

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
	m := &Metrics{
		batchSize: histogram("batch_size", "Crops in one run of the network.", 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64),
		queueWait: histogram("queue_wait_seconds", "Time from Score to the start of the crop's batch.",
			.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5),
		inference: histogram("inference_seconds", "Time of one run of the network.",
			.0025, .005, .01, .02, .03, .05, .075, .1, .15, .25, .5, 1, 2.5),
		flushes:  counters("flushes_total", "Batches sent off, by reason: full, waited, idle, turn.", "reason"),
		shed:     counters("shed_total", "Waiting crops dropped for newer ones, by reason: session_cap, capacity.", "reason"),
		samples:  counters("samples_total", "Crops, by result: scored, invalid, failed, cancelled, shed, refused.", "result"),
		failures: counters("batch_failures_total", "Failed attempts, by reason: error, panic, timeout, stuck, invalid.", "reason"),
		retries:  prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "retries_total", Help: "Second attempts."}),
		swaps:    prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "model_swaps_total", Help: "Models replaced while running."}),
		models: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: prefix + "models", Help: "Models in memory: the current one, and replaced ones that sessions still use.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "waiting", Help: "Crops that wait for a batch."}),
		ready:   prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "ready", Help: "1 when the scorer is ready, else 0."}),
	}
	if reg == nil {
		return m
	}
	reg.MustRegister(m.batchSize, m.queueWait, m.inference, m.flushes, m.shed, m.samples, m.failures,
		m.retries, m.swaps, m.models, m.waiting, m.ready)
	return m
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

const prefix = "liveproof_scorer_"

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{label})
}
