package injection

import "github.com/prometheus/client_golang/prometheus"

// Metrics of the process. The label signal is the name of a risk: repeats, encoder, attestation, cadence, sway.
type Metrics struct {
	suspected *prometheus.CounterVec
	attested  *prometheus.CounterVec
}

// NewMetrics registers the metrics; with a nil registerer they count for nobody.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		suspected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_injection_suspected_total",
			Help: "Sessions whose injection risk reached the threshold, by the strongest signal.",
		}, []string{"signal"}),
		attested: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_attestations_total",
			Help: "Statements of clients, by what the verifier said: verified, refused, failed.",
		}, []string{"result"}),
	}
	if reg != nil {
		reg.MustRegister(m.suspected, m.attested)
	}
	return m
}

func (m *Metrics) countAttested(result string) { m.attested.WithLabelValues(result).Inc() }
