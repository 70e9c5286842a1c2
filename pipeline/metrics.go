package pipeline

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/liveproof/liveproof"
)

// Stage names a stage in metrics and reports.
type Stage string

// The stages in the order of the flow.
const (
	StageSample Stage = "sample" // wait excluded: sampling decision, digest, conversion to RGB
	StageDetect Stage = "detect"
	StageCrop   Stage = "crop"
	StageScore  Stage = "score" // includes the batcher's wait
	StageJudge  Stage = "judge"
	StageRecord Stage = "record"
)

// Metrics are shared by all sessions of a process.
type Metrics struct {
	pictures  prometheus.Counter
	latency   *prometheus.HistogramVec // stage: sample, detect, crop, score, judge, record
	total     prometheus.Histogram
	drops     *prometheus.CounterVec // stage: as above; reason: overload, timestamps_backward, timestamps_jumped, injection_timing
	samples   *prometheus.CounterVec // result: scored, or the first reason code of the unscored sample
	active    prometheus.Gauge
	verdicts  *prometheus.CounterVec // mode: onboarding, call; outcome: live, spoof, inconclusive
	writes    *prometheus.CounterVec // result: ok, retry, refused
	lost      prometheus.Counter
	spared    prometheus.Counter
	unsettled prometheus.Counter
	doubts    *prometheus.CounterVec // label cause: see attention.go
}

// NewMetrics registers the pipeline's metrics; a nil registerer leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	buckets := []float64{.0001, .0003, .001, .003, .006, .01, .02, .04, .08, .15, .3, .6, 1.2, 2.5, 5}
	// Finer around the latencies of a loaded machine, so that quantiles are precise there.
	whole := []float64{.005, .01, .015, .02, .025, .03, .04, .05, .06, .08, .1, .12, .15, .2, .25, .3, .4, .5, .6, .8, 1.2, 2.5, 5}
	return &Metrics{
		pictures: f.NewCounter(prometheus.CounterOpts{Name: "liveproof_pipeline_pictures_total",
			Help: "Decoded pictures that reached the pipeline."}),
		latency: f.NewHistogramVec(prometheus.HistogramOpts{Name: "liveproof_pipeline_stage_seconds", Buckets: buckets,
			Help: "Time a stage worked on one frame."}, []string{"stage"}),
		total: f.NewHistogram(prometheus.HistogramOpts{Name: "liveproof_pipeline_latency_seconds", Buckets: whole,
			Help: "Time from a sampled picture's arrival until it was judged."}),
		drops: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_pipeline_drops_total",
			Help: "Frames dropped before a stage, by reason."}, []string{"stage", "reason"}),
		samples: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_pipeline_samples_total",
			Help: "Sampled frames by what became of them."}, []string{"result"}),
		active: f.NewGauge(prometheus.GaugeOpts{Name: "liveproof_pipeline_sessions_active",
			Help: "Sessions whose pipeline runs."}),
		verdicts: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_verdicts_total",
			Help: "Verdicts that ended a session, by mode and outcome, before they are written to the store."}, []string{"mode", "outcome"}),
		writes: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_pipeline_writes_total",
			Help: "Attempts to write to the timeline."}, []string{"result"}),
		lost: f.NewCounter(prometheus.CounterOpts{Name: "liveproof_pipeline_timeline_lost_total",
			Help: "Samples that the timeline lacks because the store was away for too long."}),
		spared: f.NewCounter(prometheus.CounterOpts{Name: "liveproof_pipeline_spared_total",
			Help: "Pictures that the full rate would have sampled, and that were not sampled because the call stood at live."}),
		unsettled: f.NewCounter(prometheus.CounterOpts{Name: "liveproof_pipeline_unsettled_total",
			Help: "Samples that were judged while it was not known whether the person is still the same; no decision rests on them."}),
		doubts: f.NewCounterVec(prometheus.CounterOpts{Name: "liveproof_pipeline_doubts_total",
			Help: "Returns of a relaxed call to the full sampling rate, by what raised doubt."}, []string{"cause"}),
	}
}

func (m *Metrics) sample(s liveproof.Sample) {
	result := "scored"
	if !s.Scored {
		result = string(liveproof.ReasonInternalError)
		if len(s.Reasons) > 0 {
			result = string(s.Reasons[0])
		}
	}
	m.samples.WithLabelValues(result).Inc()
}
