package motion

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics of the examiners of motion.
type Metrics struct {
	views     *prometheus.CounterVec // label result
	residuals prometheus.Histogram
}

// Results of a view.
const (
	resultMoved = "moved"  // it differs from the earlier one by more than the motion of a photograph
	resultRigid = "rigid"  // it does not
	resultFirst = "first"  // there is no earlier one, or the two have too little in common
	resultPoor  = "unseen" // the face is badly seen
)

// NewMetrics registers the metrics with reg; nil leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		views: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_motion_views_total",
			Help: "Views of faces by what the comparison with an earlier view showed: moved, rigid, first (nothing to compare with) or unseen."},
			[]string{"result"}),
		residuals: f.NewHistogram(prometheus.HistogramOpts{Name: "liveproof_motion_residual",
			Help:    "Motion of faces besides that of a photograph, in levels; motion.min_residual is the limit.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 9)}),
	}
}

func (m *Metrics) seen(result string) { m.views.WithLabelValues(result).Inc() }
