package webhooks

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	// attempts counts attempts by tenant (a name of the configuration), type and outcome: delivered, failed (it is tried again), dead; and messages
	// that were dropped, because too many of the tenant waited.
	attempts *prometheus.CounterVec
}

// newMetrics registers; a nil registerer keeps the metrics to this sender.
func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	return &metrics{promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Namespace: "liveproof", Name: "webhook_attempts_total", Help: "Attempts to deliver webhooks.",
	}, []string{"tenant", "type", "outcome"})}
}
