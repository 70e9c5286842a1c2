package ingest

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics of the outside. Label values are closed sets: nothing a client sends becomes one.
type metrics struct {
	// requests by route (the pattern, "other" without one), method and status.
	requests *prometheus.CounterVec
	// latency in seconds by route, without signalling and events, whose requests live as long as a session.
	latency *prometheus.HistogramVec
	// created counts created sessions by tenant (a name of the configuration) and
	// mode: onboarding, call.
	created *prometheus.CounterVec
	// tokens counts refused client tokens by code: unauthorized, token_invalid,
	// token_expired, token_wrong_session, token_used, session_conflict.
	tokens *prometheus.CounterVec
	// handovers counts clients sent to the node that owns their session, by the way they came: whip, signal.
	handovers *prometheus.CounterVec
	// limited counts refused requests and messages by the exceeded limit: tenant
	// (the label tenant has its name), ip, messages.
	limited *prometheus.CounterVec
	// messages counts signalling messages from clients by type: offer,
	// candidate, settings, bye, invalid.
	messages *prometheus.CounterVec
	// unsent counts signalling messages dropped because the client reads too slowly.
	unsent prometheus.Counter
	// mismatched counts clients whose delivered camera settings are not the requested ones.
	mismatched prometheus.Counter
	// listeners counts the open streams of events by tenant.
	listeners *prometheus.GaugeVec
}

// newMetrics registers; a nil registerer keeps the metrics to this server.
func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	f := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "liveproof", Name: name, Help: help}, labels)
	}
	return &metrics{
		requests: counter("http_requests_total", "HTTP requests.", "route", "method", "status"),
		latency: f.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "liveproof", Name: "http_request_seconds", Help: "HTTP request latency.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 7),
		}, []string{"route"}),
		created:   counter("sessions_created_total", "Sessions created.", "tenant", "mode"),
		tokens:    counter("tokens_refused_total", "Client tokens refused.", "code"),
		handovers: counter("handovers_total", "Clients sent to the node that owns their session.", "via"),
		limited:   counter("rate_limited_total", "Requests and messages above a rate limit.", "by", "tenant"),
		messages:  counter("signal_messages_total", "Signalling messages from clients.", "type"),
		unsent: f.NewCounter(prometheus.CounterOpts{
			Namespace: "liveproof", Name: "signal_unsent_total", Help: "Signalling messages dropped for slow clients.",
		}),
		mismatched: f.NewCounter(prometheus.CounterOpts{
			Namespace: "liveproof", Name: "settings_mismatch_total", Help: "Clients whose delivered camera settings differ from the requested.",
		}),
		listeners: f.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "liveproof", Name: "event_listeners", Help: "Open streams of a session's events.",
		}, []string{"tenant"}),
	}
}
