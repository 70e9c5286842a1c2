package injection

import "github.com/prometheus/client_golang/prometheus"

// Metrics of the process. The label signal is the name of a risk: repeats, encoder, attestation, cadence, sway, probe, reports, quantiser.
type Metrics struct {
	suspected *prometheus.CounterVec
	signs     *prometheus.CounterVec
	probes    *prometheus.CounterVec
	attested  *prometheus.CounterVec
}

// NewMetrics registers the metrics; with a nil registerer they count for nobody.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		suspected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_injection_suspected_total",
			Help: "Sessions whose injection risk reached the threshold, by the strongest signal.",
		}, []string{"signal"}),
		signs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_injection_signs_total",
			Help: "Sessions in which a risk of injection came near to its ceiling, by its signal.",
		}, []string{"signal"}),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_injection_probes_total",
			Help: "Probes of clients' frame rate, by result: followed, ignored, unanswered, unclear.",
		}, []string{"result"}),
		attested: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "liveproof_attestations_total",
			Help: "Statements of clients, by what the verifier said: verified, refused, failed.",
		}, []string{"result"}),
	}
	if reg != nil {
		reg.MustRegister(m.suspected, m.signs, m.probes, m.attested)
	}
	return m
}

func (m *Metrics) countAttested(result string) { m.attested.WithLabelValues(result).Inc() }
