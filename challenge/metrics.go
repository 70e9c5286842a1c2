package challenge

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are shared by all sessions of a process.
type Metrics struct {
	challenges *prometheus.CounterVec // kind: flash, turn; outcome: asked, passed, challenge_failed, challenge_unanswered, declined
}

// NewMetrics registers the metrics of challenges; a nil registerer leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	return &Metrics{promauto.With(reg).NewCounterVec(prometheus.CounterOpts{Name: "liveproof_challenges_total",
		Help: "Challenges that clients were asked, and what became of them."}, []string{"kind", "outcome"})}
}

func (m *Metrics) judged(k kind, a answer) {
	if a.passed {
		m.count(k, "passed")
		return
	}
	m.count(k, string(a.reason()))
}

func (m *Metrics) count(k kind, outcome string) {
	m.challenges.WithLabelValues(string(k.evidence()), outcome).Inc()
}
