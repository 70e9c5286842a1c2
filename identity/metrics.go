package identity

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics of this package.
type Metrics struct {
	restarts *prometheus.CounterVec // cause: see cause
	looks    *prometheus.CounterVec // result: see opinion
	latency  prometheus.Histogram
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		restarts: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_identity_restarts_total",
			Help: "Evidence restarted because another person may be there, by cause."}, []string{"cause"}),
		looks: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_identity_looks_total",
			Help: "Comparisons by the face embedder, by result."}, []string{"result"}),
		latency: f.NewHistogram(prometheus.HistogramOpts{Name: "liveproof_identity_look_seconds",
			Help:    "Time of one comparison by the face embedder, with its wait.",
			Buckets: []float64{.005, .01, .02, .04, .08, .15, .3, .6, 1.2}}),
	}
}

func (m *Metrics) restarted(why cause) { m.restarts.WithLabelValues(string(why)).Inc() }

func (m *Metrics) looked(o opinion, took time.Duration) {
	m.looks.WithLabelValues(string(o)).Inc()
	m.latency.Observe(took.Seconds())
}
