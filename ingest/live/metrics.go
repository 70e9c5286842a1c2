package live

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/liveproof/liveproof"
)

// metrics of sessions. Label values are closed sets: nothing that a client sends becomes
// a label.
type metrics struct {
	// active are the sessions connected to this server.
	active prometheus.Gauge
	// ends counts ended sessions by tenant (a name of the configuration), state
	// (decided, failed, expired), verdict and first reason (a code of the table of
	// reasons, or none).
	ends *prometheus.CounterVec
	// writes counts attempts to write a session's end by result: ok, refused
	// (another ending was written, or the record is gone), retry, gave_up.
	writes *prometheus.CounterVec
}

// newMetrics registers; a nil registerer leaves the metrics unregistered.
func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		active: f.NewGauge(prometheus.GaugeOpts{
			Name: "liveproof_sessions_active", Help: "Sessions connected to this server.",
		}),
		ends: f.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_sessions_ended_total", Help: "Sessions ended.",
		}, []string{"tenant", "state", "verdict", "reason"}),
		writes: f.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_session_end_writes_total", Help: "Attempts to write the end of a session.",
		}, []string{"result"}),
	}
}

func (m *metrics) ended(s liveproof.Session) {
	reason := "none"
	if len(s.Verdict.Reasons) > 0 {
		reason = string(s.Verdict.Reasons[0])
	}
	m.ends.WithLabelValues(s.Tenant, string(s.State), string(s.Verdict.Outcome), reason).Inc()
}
