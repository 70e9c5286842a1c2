package rtc

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// metrics of all peers of an API.
type metrics struct {
	peers    prometheus.Gauge
	opened   prometheus.Counter
	packets  prometheus.Counter
	bytes    prometheus.Counter
	lost     prometheus.Counter
	units    *prometheus.CounterVec // codec: names of internal/codecs
	drops    *prometheus.CounterVec // reason: see dropReason
	pli      prometheus.Counter
	remb     prometheus.Counter
	switches *prometheus.CounterVec // reason: see layers.go
	ended    *prometheus.CounterVec // reason: see endReason
	refused  *prometheus.CounterVec // kind: sdp, candidate, candidates, restart
	tcpConns prometheus.Gauge
	tcpShed  prometheus.Counter
	checks   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "liveproof", Subsystem: "webrtc", Name: name, Help: help}
	}
	gauge := func(name, help string) prometheus.GaugeOpts {
		return prometheus.GaugeOpts{Namespace: "liveproof", Subsystem: "webrtc", Name: name, Help: help}
	}
	m := &metrics{
		peers:    prometheus.NewGauge(gauge("peers", "Open peer connections.")),
		opened:   prometheus.NewCounter(counter("peers_total", "Peer connections opened.")),
		packets:  prometheus.NewCounter(counter("packets_total", "RTP packets received.")),
		bytes:    prometheus.NewCounter(counter("bytes_total", "RTP bytes received.")),
		lost:     prometheus.NewCounter(counter("packets_lost_total", "RTP packets given up as lost.")),
		units:    prometheus.NewCounterVec(counter("access_units_total", "Complete access units by codec."), []string{"codec"}),
		drops:    prometheus.NewCounterVec(counter("drops_total", "Packets and pictures dropped by reason."), []string{"reason"}),
		pli:      prometheus.NewCounter(counter("pli_sent_total", "Key frame requests sent.")),
		remb:     prometheus.NewCounter(counter("bitrate_requests_total", "Bitrate requests (REMB) sent.")),
		switches: prometheus.NewCounterVec(counter("layer_switches_total", "Changes to another of a sender's video streams by reason."), []string{"reason"}),
		ended:    prometheus.NewCounterVec(counter("peers_ended_total", "Peer connections ended by reason."), []string{"reason"}),
		refused:  prometheus.NewCounterVec(counter("refused_total", "Signalling input refused by kind."), []string{"kind"}),
		tcpConns: prometheus.NewGauge(gauge("tcp_connections", "Open ICE-TCP connections.")),
		tcpShed:  prometheus.NewCounter(counter("tcp_refused_total", "ICE-TCP connections above the cap.")),
		checks:   prometheus.NewCounter(counter("checks_refused_total", "ICE checks above what one session or address may send.")),
	}
	m.presetLabels()
	if reg == nil {
		return m, nil
	}
	var err error
	for _, c := range []prometheus.Collector{
		m.peers, m.opened, m.packets, m.bytes, m.lost, m.units, m.drops, m.pli, m.remb, m.switches, m.ended, m.refused, m.tcpConns, m.tcpShed, m.checks,
	} {
		err = errors.Join(err, reg.Register(c))
	}
	return m, err
}

// presetLabels makes every series exist from the start, so that rates work.
func (m *metrics) presetLabels() {
	for _, codec := range codecs.Names() {
		m.units.WithLabelValues(string(codec))
	}
	for _, reason := range dropReasons {
		m.drops.WithLabelValues(string(reason))
	}
	for _, reason := range []string{endClosed, endConnect, endIdle, endDisconnected, endHandshake, endFlood} {
		m.ended.WithLabelValues(reason)
	}
	for _, reason := range []string{switchLarger, switchRampUp, switchSilent} {
		m.switches.WithLabelValues(reason)
	}
	for _, kind := range []string{"sdp", "candidate", "candidates", "restart"} {
		m.refused.WithLabelValues(kind)
	}
}

// The values of the label "reason" of liveproof_webrtc_peers_ended_total.
const (
	endClosed       = "closed"          // by this side
	endConnect      = "connect_timeout" // no connection in time
	endIdle         = "idle"            // connected, but no media
	endDisconnected = "disconnected"    // ICE lost, or closed by the other side
	endHandshake    = "dtls"            // DTLS handshake failed
	endFlood        = "flood"           // more packets or streams than allowed
)

func endReason(err error) string {
	switch {
	case err == nil:
		return endClosed
	case errors.Is(err, ErrConnectTimeout):
		return endConnect
	case errors.Is(err, liveproof.ErrIdle):
		return endIdle
	case errors.Is(err, ErrHandshake):
		return endHandshake
	case errors.Is(err, ErrFlood):
		return endFlood
	}
	return endDisconnected
}
