package detector

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics of the detector.
type Metrics struct {
	regions prometheus.Counter
	wholes  *prometheus.CounterVec // label reason: a doubt
}

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		regions: f.NewCounter(prometheus.CounterOpts{Name: "liveproof_detector_region_searches_total",
			Help: "Searches of the region around a followed face."}),
		wholes: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_detector_full_searches_total",
			Help: "Searches of a whole picture, by the reason why a region was not enough."}, []string{"reason"}),
	}
}

func (m *Metrics) region()         { m.regions.Inc() }
func (m *Metrics) whole(why doubt) { m.wholes.WithLabelValues(string(why)).Inc() }
