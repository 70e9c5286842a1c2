package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
)

// dimmer gives the nth presentation of its class the exposure n, and scores the darkest four of ten on the wrong side.
func dimmer() *byHand {
	h := &byHand{}
	h.add("", some(40, 16, 0.9)...)
	h.add("print", some(20, 5, 0.1)...)
	for i := range h.results {
		r := &h.results[i]
		n := i
		if r.AttackType != "" {
			n = i - 40
		}
		r.Samples = []liveproof.Sample{{Seq: 1, Scored: true, Rho: r.Score}}
		r.Qualities = []liveproof.Quality{{Size: 100, Exposure: float64(n)}}
	}
	return h
}

func tooDark(q liveproof.Quality) []liveproof.Reason {
	if q.Exposure < 10 {
		return []liveproof.Reason{liveproof.ReasonTooDark}
	}
	return nil
}

func TestQuality(t *testing.T) {
	about := About{Model: liveproof.ModelInfo{Threshold: 0.5, SHA256: "aa"}, Refuses: tooDark}
	h := dimmer()
	h.results = append(h.results, evaluation.Result{Presentation: evaluation.Presentation{Name: "older", Subject: "x"}, Still: true, Acquired: true, Score: 1, Smoothed: 1,
		Samples: []liveproof.Sample{{Seq: 1, Scored: true, Rho: 1}}}) // without measures
	h.plan.Presentations = append(h.plan.Presentations, h.results[60].Presentation)
	r := h.build(t, about)
	q := r.Quality
	require.NotNil(t, q)
	require.Len(t, q.Measures, len(liveproof.QualityMeasures()))

	type row struct {
		name                          string
		share, bpcer, attacks, apcer  int
		ofBonaFide, ofAttacks, people int
	}
	var rows []row
	for _, l := range q.Limits {
		rows = append(rows, row{l.Name, l.Share.Count, l.BPCER.Count, l.AttackShare.Count, l.APCER.Count, l.BPCER.Of, l.APCER.Of, l.Subjects})
	}
	require.Equal(t, []row{
		{"all", 40, 16, 20, 5, 40, 20, 30},
		{"kept", 30, 6, 10, 0, 30, 10, 30},
		{"refused", 10, 10, 10, 5, 10, 10, 10},
		{"too_dark", 10, 10, 10, 5, 10, 10, 10},
	}, rows)

	exposure := measure(t, q, "exposure")
	require.Len(t, exposure.Bins, 8)
	require.Nil(t, exposure.Bins[0].Low)
	require.EqualValues(t, 2, *exposure.Bins[0].High, "5 % of 40")
	require.Nil(t, exposure.Bins[7].High)
	bonaFide, attacks := 0, 0
	for i, b := range exposure.Bins {
		bonaFide += b.BPCER.Of
		if b.APCER != nil {
			attacks += b.APCER.Of
		}
		if i < 3 {
			require.EqualValues(t, 1, b.BPCER.Value, b.interval())
		}
	}
	require.Equal(t, [2]int{40, 20}, [2]int{bonaFide, attacks}, "each sample is in one bin")
	require.Len(t, measure(t, q, "size").Bins, 1, "a measure with one value has one bin")
	require.Equal(t, "all", measure(t, q, "size").Bins[0].interval())

	shows(t, page(t, r), `<section id="quality">`)
	var text bytes.Buffer
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "too_dark  25.00 (10 of 40)")
	plotsQuality(t, q)
}

func measure(t *testing.T, q *Quality, name string) QualityMeasure {
	t.Helper()
	for _, m := range q.Measures {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no measure %q", name)
	return QualityMeasure{}
}

func plotsQuality(t *testing.T, q *Quality) {
	t.Helper()
	var svg bytes.Buffer
	require.NoError(t, q.Plot(&svg))
	for d := xml.NewDecoder(&svg); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

// TestQualityIsLeftOut: where nobody asked, nothing was measured or no threshold holds.
func TestQualityIsLeftOut(t *testing.T) {
	require.Nil(t, dimmer().build(t, About{Model: liveproof.ModelInfo{Threshold: 0.5, SHA256: "aa"}}).Quality)
	bare := &byHand{}
	bare.add("", some(4, 1, 0.9)...)
	r := bare.build(t, About{Model: liveproof.ModelInfo{Threshold: 0.5, SHA256: "aa"}, Refuses: tooDark})
	require.Nil(t, r.Quality)
	lacks(t, page(t, r), `<section id="quality">`)
	onlyBonaFide := &byHand{}
	onlyBonaFide.add("", some(4, 1, 0.9)...)
	for i := range onlyBonaFide.results {
		onlyBonaFide.results[i].Samples = []liveproof.Sample{{Seq: 1, Scored: true, Rho: 0.9}}
		onlyBonaFide.results[i].Qualities = []liveproof.Quality{{Size: 100, Exposure: 50}}
	}
	q := onlyBonaFide.build(t, About{Model: liveproof.ModelInfo{Threshold: 0.5, SHA256: "aa"}, Refuses: tooDark}).Quality
	require.NotNil(t, q)
	require.Nil(t, q.Limits[0].APCER)
	plotsQuality(t, q)
}
