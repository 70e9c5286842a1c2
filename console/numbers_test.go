package console

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// TestServerNow: rates are of the window, counts are since the start, and the tenants' are summed up.
func TestServerNow(t *testing.T) {
	reg, clock := prometheus.NewRegistry(), testTime
	limited := prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricLimited}, []string{"by", "tenant"})
	pictures := prometheus.NewCounter(prometheus.CounterOpts{Name: metricPictures})
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{Name: metricLatency, Buckets: []float64{0.1, 0.2, 0.4}})
	used := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: metricUsed}, []string{"resource"})
	reg.MustRegister(limited, pictures, latency, used)
	n := &numbers{gather: reg, now: func() time.Time { return clock }}
	limited.WithLabelValues("tenant", "bank-a").Add(3)
	latency.Observe(0.35) // before anybody looked
	used.WithLabelValues("cpu").Set(0.42)
	first, err := n.read("")
	require.NoError(t, err)
	require.Empty(t, first.Window)
	require.Equal(t, "–", tileOf(t, first, "pictures / s"))
	require.Equal(t, "42 %", tileOf(t, first, "CPU used"))
	require.Equal(t, "–", tileOf(t, first, "scorer used"))

	clock = clock.Add(10 * time.Second)
	limited.WithLabelValues("tenant", "bank-b").Add(5)
	pictures.Add(300)
	for range 10 {
		latency.Observe(0.15)
	}
	second, err := n.read("")
	require.NoError(t, err)
	require.Equal(t, "10 s", second.Window)
	require.Equal(t, "30", tileOf(t, second, "pictures / s"))
	require.Equal(t, "150 ms", tileOf(t, second, "median latency"))
	require.Contains(t, second.Counts, count{"refused: rate limit", "tenant", "8", "30"})
	for _, c := range second.Counts {
		require.NotContains(t, c.Kind, "bank", "no tenant sees another one's name")
	}
}

// TestReadings: however many people look, the metrics are gathered once a second and remembered for a minute.
func TestReadings(t *testing.T) {
	clock, gathered := testTime, 0
	n := &numbers{now: func() time.Time { return clock }, gather: prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		gathered++
		return nil, nil
	})}
	for range 2000 {
		_, err := n.read("")
		require.NoError(t, err)
		clock = clock.Add(100 * time.Millisecond)
	}
	require.Equal(t, 200, gathered)
	require.LessOrEqual(t, len(n.past), 61)
	clock = clock.Add(time.Hour)
	now, err := n.read("")
	require.NoError(t, err)
	require.Empty(t, now.Window, "nobody looked for long")
}

func TestReadFails(t *testing.T) {
	n := &numbers{now: time.Now, gather: prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("broken") })}
	_, err := n.read("")
	require.ErrorContains(t, err, "broken")
}

func TestQuantile(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		h       histogram
		q, want float64
	}{
		"within a bucket":      {histogram{1: 0, 2: 10, inf: 10}, 0.5, 1.5},
		"first bucket":         {histogram{1: 10, 2: 10, inf: 10}, 0.5, 0.5},
		"above all bounds":     {histogram{1: 0, 2: 0, inf: 10}, 0.5, 2},
		"an empty one between": {histogram{1: 5, 2: 5, 3: 10, inf: 10}, 0.75, 2.5},
	} {
		require.InDelta(t, c.want, c.h.quantile(c.q), 1e-9, name)
	}
	require.True(t, math.IsNaN(histogram{1: 0, inf: 0}.quantile(0.5)))
	require.True(t, math.IsNaN(histogram{}.quantile(0.5)))
}

func tileOf(t *testing.T, s serverNow, label string) string {
	for _, x := range s.Tiles {
		if x.Label == label {
			return x.Value
		}
	}
	t.Fatalf("no tile %q", label)
	return ""
}
