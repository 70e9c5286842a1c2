package challenge

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/liveproof/liveproof"
)

// Metrics are shared by all sessions of a process.
type Metrics struct {
	challenges *prometheus.CounterVec // kind: flash; outcome: asked, passed, challenge_failed, challenge_unanswered
}

// NewMetrics registers the metrics of challenges; a nil registerer leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	return &Metrics{promauto.With(reg).NewCounterVec(prometheus.CounterOpts{Name: "liveproof_challenges_total",
		Help: "Challenges that clients were asked, and what became of them."}, []string{"kind", "outcome"})}
}

func (m *Metrics) asked() { m.count("asked") }

func (m *Metrics) judged(a answer) {
	if a.passed {
		m.count("passed")
		return
	}
	m.count(string(a.reason()))
}

func (m *Metrics) count(outcome string) {
	m.challenges.WithLabelValues(string(liveproof.EvidenceFlash), outcome).Inc()
}
