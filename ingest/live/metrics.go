package live

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live/admission"
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
	// refused counts refusals for lack of capacity, at a session's creation or connection, by reason: cpu,
	// scorer, settling (too many sessions whose cost is not measured yet), queue (crops wait too long),
	// max_sessions (the fixed number is reached).
	refused *prometheus.CounterVec
	// use is the used share of what is available, 0 to 1, by resource: cpu, scorer.
	use *prometheus.GaugeVec
	// cost is how many CPU cores a session at the full sampling rate uses, capacity how many such sessions
	// this server can take; both are 0 until they are measured.
	cost, capacity prometheus.Gauge
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
		refused: f.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_sessions_refused_total", Help: "Refusals of sessions for lack of capacity, by reason.",
		}, []string{"reason"}),
		use: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "liveproof_capacity_used_ratio", Help: "Used share of what is available to this server, 0 to 1, by resource.",
		}, []string{"resource"}),
		cost: f.NewGauge(prometheus.GaugeOpts{
			Name: "liveproof_session_cost_cores", Help: "CPU cores that a session at the full sampling rate uses; 0 until measured.",
		}),
		capacity: f.NewGauge(prometheus.GaugeOpts{
			Name: "liveproof_capacity_sessions", Help: "Sessions at the full sampling rate that fit on this server; 0 until measured.",
		}),
	}
}

func (m *metrics) measured(v admission.View) {
	m.use.WithLabelValues("cpu").Set(v.CPU)
	m.use.WithLabelValues("scorer").Set(v.Scorer)
	m.cost.Set(v.Cost)
	m.capacity.Set(v.Capacity)
}

func (m *metrics) ended(s liveproof.Session) {
	reason := "none"
	if len(s.Verdict.Reasons) > 0 {
		reason = string(s.Verdict.Reasons[0])
	}
	m.ends.WithLabelValues(s.Tenant, string(s.State), string(s.Verdict.Outcome), reason).Inc()
}
