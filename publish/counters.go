package publish

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/procfs"
)

// serverCounters are the counters among the server's metrics that a measurement needs.
type serverCounters struct {
	cpu     float64 // seconds
	memory  float64 // bytes, resident
	scored  float64 // samples
	latency histogram
}

func (c Client) counters(ctx context.Context) (s serverCounters, err error) {
	from := cmp.Or(c.Metrics, c.base()+"/metrics")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return s, err
	}
	resp, err := c.http().Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		return s, fmt.Errorf("GET %s: %s: %s", from, resp.Status, why)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(http.MaxBytesReader(nil, resp.Body, maxMetrics))
	if err != nil {
		return s, fmt.Errorf("GET %s: %w", from, err)
	}
	return serverCounters{
		cpu:     sum(families["process_cpu_seconds_total"], nil),
		memory:  sum(families["process_resident_memory_bytes"], nil),
		scored:  sum(families["liveproof_pipeline_samples_total"], map[string]string{"result": "scored"}),
		latency: newHistogram(families["liveproof_pipeline_latency_seconds"]),
	}, nil
}

// maxMetrics bounds what is read of /metrics, in bytes.
const maxMetrics = 16 << 20

// sum adds up those metrics of a counter or gauge that have these label values.
func sum(family *dto.MetricFamily, labels map[string]string) (total float64) {
	for _, m := range family.GetMetric() {
		if has(m, labels) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}

func has(m *dto.Metric, labels map[string]string) bool {
	found := 0
	for _, l := range m.GetLabel() {
		if value, ok := labels[l.GetName()]; ok && value == l.GetValue() {
			found++
		}
	}
	return found == len(labels)
}

// histogram has the cumulative count of each bucket by its upper bound, in ascending order.
type histogram []bucket

type bucket struct{ bound, count float64 }

func newHistogram(family *dto.MetricFamily) (h histogram) {
	for _, m := range family.GetMetric() { // one at most, as it has no labels
		for _, b := range m.GetHistogram().GetBucket() {
			h = append(h, bucket{b.GetUpperBound(), float64(b.GetCumulativeCount())})
		}
	}
	slices.SortFunc(h, func(a, b bucket) int { return cmp.Compare(a.bound, b.bound) })
	return h
}

// until returns what was counted between two readings of one histogram, h and after.
func (h histogram) until(after histogram) histogram {
	between := slices.Clone(after)
	for i := range min(len(h), len(between)) {
		between[i].count -= h[i].count
	}
	return between
}

// quantile interpolates within the bucket as Prometheus's histogram_quantile does. It is 0 if
// nothing was counted.
func (h histogram) quantile(q float64) float64 {
	if len(h) == 0 || h[len(h)-1].count == 0 {
		return 0
	}
	rank, below := q*h[len(h)-1].count, bucket{}
	for _, b := range h {
		if b.count >= rank {
			if math.IsInf(b.bound, 1) {
				return below.bound
			}
			return below.bound + (b.bound-below.bound)*(rank-below.count)/(b.count-below.count)
		}
		below = b
	}
	return below.bound
}

// cpuTimes are CPU seconds since the start of this process and since the machine's start.
type cpuTimes struct{ own, machine float64 }

func readCPU() (t cpuTimes, err error) {
	self, err := procfs.Self()
	if err != nil {
		return t, err
	}
	own, err := self.Stat()
	if err != nil {
		return t, err
	}
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return t, err
	}
	all, err := fs.Stat()
	if err != nil {
		return t, err
	}
	c := all.CPUTotal
	return cpuTimes{own.CPUTime(), c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ}, nil
}
