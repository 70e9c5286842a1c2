package console

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

const (
	// window is over how long rates and latencies are taken; it begins when somebody looks.
	window = time.Minute
	// gatherEvery bounds how often the metrics are gathered, however many people look.
	gatherEvery = time.Second
)

// The metrics that are shown. An operator sees them summed up over tenants; a tenant sees its own, of those that are counted by tenant.
const (
	metricActive   = "liveproof_sessions_active"
	metricCreated  = "liveproof_sessions_created_total"
	metricVerdicts = "liveproof_verdicts_total"
	metricPictures = "liveproof_pipeline_pictures_total"
	metricSamples  = "liveproof_pipeline_samples_total"
	metricDrops    = "liveproof_pipeline_drops_total"
	metricFull     = "liveproof_sessions_refused_total"
	metricLimited  = "liveproof_rate_limited_total"
	metricTokens   = "liveproof_tokens_refused_total"
	metricCapacity = "liveproof_capacity_sessions"
	metricUsed     = "liveproof_capacity_used_ratio"
	metricLatency  = "liveproof_pipeline_latency_seconds"
	metricStages   = "liveproof_pipeline_stage_seconds"
	metricRequests = "liveproof_http_request_seconds"
	metricEnded    = "liveproof_sessions_ended_total"
	metricWebhooks = "liveproof_webhook_attempts_total"
)

// shown are the metrics by name, each with the one label whose values stay apart; all other labels are summed up.
var shown = map[string]string{
	metricActive: "", metricCreated: "", metricVerdicts: "outcome", metricPictures: "", metricSamples: "result", metricDrops: "reason",
	metricFull: "reason", metricLimited: "by", metricTokens: "code", metricCapacity: "", metricUsed: "resource",
	metricLatency: "", metricStages: "stage", metricRequests: "", metricEnded: "verdict", metricWebhooks: "outcome",
}

// labelTenant has the tenant's name where a metric is counted by tenant.
const labelTenant = "tenant"

// series is a metric with the value of its label.
type series struct{ metric, label string }

// reading is what the metrics were at one time.
type reading struct {
	at     time.Time
	values map[series]float64
	hists  map[series]histogram
	// tenants have the values of each tenant.
	tenants map[string]map[series]float64
}

// of are a tenant's own values; "" has those of the whole server.
func (r *reading) of(tenant string) reading {
	if tenant == "" {
		return *r
	}
	return reading{at: r.at, values: r.tenants[tenant]}
}

// histogram counts observations up to each bound; the last bound is +Inf.
type histogram map[float64]float64

// numbers reads the process's metrics and remembers them for as long as the window.
type numbers struct {
	gather prometheus.Gatherer
	now    func() time.Time

	mu   sync.Mutex
	past []reading // oldest first
}

// read is what the server is doing now, for a tenant; "": for all of them.
func (n *numbers) read(tenant string) (serverNow, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	if len(n.past) == 0 || now.Sub(n.past[len(n.past)-1].at) >= gatherEvery {
		families, err := n.gather.Gather()
		if err != nil {
			return serverNow{}, fmt.Errorf("metrics: %w", err)
		}
		n.past = append(n.past, newReading(now, families))
	}
	n.past = slices.DeleteFunc(n.past, func(r reading) bool { return now.Sub(r.at) > window })
	from, to := n.past[0].of(tenant), n.past[len(n.past)-1].of(tenant)
	if tenant != "" {
		return tenantSummary(tenant, from, to), nil
	}
	return summary(from, to), nil
}

func newReading(at time.Time, families []*dto.MetricFamily) reading {
	r := reading{at: at, values: map[series]float64{}, hists: map[series]histogram{}, tenants: map[string]map[series]float64{}}
	for _, f := range families {
		label, wanted := shown[f.GetName()]
		if !wanted {
			continue
		}
		for _, m := range f.GetMetric() {
			r.add(series{f.GetName(), labelOf(m, label)}, labelOf(m, labelTenant), m)
		}
	}
	return r
}

func (r *reading) add(s series, tenant string, m *dto.Metric) {
	value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
	r.values[s] += value
	if tenant != "" {
		if r.tenants[tenant] == nil {
			r.tenants[tenant] = map[series]float64{}
		}
		r.tenants[tenant][s] += value
	}
	if h := m.GetHistogram(); h != nil {
		if r.hists[s] == nil {
			r.hists[s] = histogram{}
		}
		for _, b := range h.GetBucket() {
			r.hists[s][b.GetUpperBound()] += float64(b.GetCumulativeCount())
		}
		r.hists[s][math.Inf(1)] += float64(h.GetSampleCount())
	}
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// sum adds up a metric's values.
func (r *reading) sum(metric string) (sum float64) {
	for s, v := range r.values {
		if s.metric == metric {
			sum += v
		}
	}
	return sum
}

// labels are the values that a metric's label has, in their order.
func (r *reading) labels(metric string) (all []string) {
	for s := range r.values {
		if s.metric == metric {
			all = append(all, s.label)
		}
	}
	slices.Sort(all)
	return all
}

// showServer is the page of what the server is doing. The figures of the whole server say how many sessions other tenants have, so
// that they are for operators, and for the only tenant.
func (c *console) showServer(w http.ResponseWriter, _ *http.Request, visitor scope) error {
	tenant := visitor.Tenant
	if visitor.Choices != nil || len(c.deps.Tenants) == 1 && c.deps.Tenants[0] == tenant {
		tenant = ""
	}
	now, err := c.numbers.read(tenant)
	if err != nil {
		return err
	}
	return render(w, http.StatusOK, "server", frame{Title: "This server", Visitor: &visitor, Live: true, Content: now})
}

// serverNow is what the server is doing, as texts.
type serverNow struct {
	Tenant    string // whose figures they are; empty: the server's
	Window    string // over how long rates are taken; empty while there is one reading only
	Tiles     []tile
	Latencies []latency
	Counts    []count
}

type tile struct{ Label, Value string }

// latency is how long something took in the window.
type latency struct{ What, Rate, Half, Most string }

// count is how often something happened: since the process started, and in a minute of the window.
type count struct{ What, Kind, Total, PerMinute string }

func summary(from, to reading) serverNow {
	s := serverNow{}
	if span := to.at.Sub(from.at); span > 0 {
		s.Window = age(span)
	}
	whole := between(from, to, series{metricLatency, ""})
	s.Tiles = []tile{
		{"sessions connected", amount(to.sum(metricActive), "")},
		{"sessions that fit", fits(to)},
		{"CPU used", percent(to, "cpu")},
		{"scorer used", percent(to, "scorer")},
		{"pictures / s", amount(perSecond(from, to, metricPictures), "")},
		{"samples / s", amount(perSecond(from, to, metricSamples), "")},
		{"median latency", milliseconds(whole.quantile(0.5))},
		{"latency, 95th percentile", milliseconds(whole.quantile(0.95))},
	}
	s.Latencies = latencies(from, to)
	s.Counts = countsOf(from, to, []kind{
		{metricCreated, "sessions created"}, {metricVerdicts, "verdicts"}, {metricFull, "refused: no capacity"},
		{metricLimited, "refused: rate limit"}, {metricTokens, "refused: token"}, {metricDrops, "frames dropped"}, {metricSamples, "samples"},
	})
	return s
}

// tenantSummary has only what is counted by tenant.
func tenantSummary(tenant string, from, to reading) serverNow {
	s := serverNow{Tenant: tenant}
	if span := to.at.Sub(from.at); span > 0 {
		s.Window = age(span)
	}
	s.Counts = countsOf(from, to, []kind{
		{metricCreated, "sessions created"}, {metricEnded, "sessions ended"}, {metricLimited, "refused: rate limit"}, {metricWebhooks, "webhooks"},
	})
	return s
}

// kind is a metric and what it is called.
type kind struct{ metric, name string }

func countsOf(from, to reading, kinds []kind) (all []count) {
	for _, k := range kinds {
		all = append(all, counts(from, to, k.metric, k.name)...)
	}
	return all
}

// perSecond is how often something happens in a second; NaN when it is not known.
func perSecond(from, to reading, metric string) float64 {
	return (to.sum(metric) - from.sum(metric)) / to.at.Sub(from.at).Seconds()
}

// fits is how many sessions fit on this server; it is 0 until it is measured.
func fits(r reading) string {
	if n := r.sum(metricCapacity); n > 0 {
		return amount(math.Floor(n), "")
	}
	return "–"
}

func percent(r reading, resource string) string {
	v, known := r.values[series{metricUsed, resource}]
	if !known {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

func milliseconds(s float64) string { return amount(1000*s, " ms") }

func counts(from, to reading, metric, what string) (all []count) {
	for _, label := range to.labels(metric) {
		s := series{metric, label}
		minute := 60 * (to.values[s] - from.values[s]) / to.at.Sub(from.at).Seconds()
		all = append(all, count{what, label, amount(to.values[s], ""), amount(minute, "")})
	}
	return all
}

func latencies(from, to reading) (all []latency) {
	add := func(what string, s series) {
		h := between(from, to, s)
		often := h[math.Inf(1)] / to.at.Sub(from.at).Seconds()
		all = append(all, latency{what, amount(often, ""), milliseconds(h.quantile(0.5)), milliseconds(h.quantile(0.95))})
	}
	add("picture, from arrival to judgement", series{metricLatency, ""})
	for _, stage := range to.labels(metricStages) {
		add("stage "+stage, series{metricStages, stage})
	}
	add("HTTP request", series{metricRequests, ""})
	return all
}

// between are the observations after from.
func between(from, to reading, s series) histogram {
	h := histogram{}
	for bound, n := range to.hists[s] {
		h[bound] = n - from.hists[s][bound]
	}
	return h
}

// quantile is the value that the share q of the observations does not exceed, interpolated within its bucket as Prometheus's
// histogram_quantile does it; NaN without observations. Above the last finite bound it is that bound.
func (h histogram) quantile(q float64) float64 {
	want := q * h[math.Inf(1)]
	if want == 0 {
		return math.NaN()
	}
	low, below := 0.0, 0.0
	for _, bound := range slices.Sorted(maps.Keys(h)) {
		if math.IsInf(bound, 1) {
			break
		}
		if h[bound] >= want {
			return low + (bound-low)*(want-below)/(h[bound]-below)
		}
		low, below = bound, h[bound]
	}
	return low
}
