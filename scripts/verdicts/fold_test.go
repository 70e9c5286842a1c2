package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/variants"
)

// told4s is a timeline of a face that scores well for 4 s and gives the evidence in its middle; the challenge fails at its end.
func told4s(given ...liveproof.Evidence) told {
	t := told{File: "loop.ivf", Threshold: liveproof.Threshold{Value: 0.5, Source: "model"}}
	for i := range 20 {
		s := liveproof.Sample{Seq: int64(i + 1), T: time.Duration(i) * 200 * time.Millisecond, Track: 1, Scored: true, Rho: 0.9, Weight: 1}
		if i == 10 {
			s.Evidence = given
		}
		t.Samples = append(t.Samples, s)
	}
	t.Samples[19].Reasons = []liveproof.Reason{liveproof.ReasonChallengeFailed}
	return t
}

// TestEachPresentationCountsOnce: who was judged with both challenges is one presentation to the policies without any, and each challenge has a
// column of its own.
func TestEachPresentationCountsOnce(t *testing.T) {
	p := presentation{"loop.ivf", "A", "loop-2s", variants.KindLoop, variants.ShowsVideo}
	rows, err := verdicts([]judged{
		{p, "files", liveproof.EvidenceTurn, told4s(liveproof.EvidenceMotion, liveproof.EvidenceTurn)},
		{p, "files", liveproof.EvidenceFlash, told4s(liveproof.EvidenceMotion)},
		{p, "webrtc", liveproof.EvidenceTurn, told4s(liveproof.EvidenceMotion)},
	})
	require.NoError(t, err)
	cells := map[string]string{}
	for _, c := range columnsOf(rows) {
		cells[c.title()] = live(rows, c)
	}
	require.Equal(t, map[string]string{
		"file: passive": "**1 of 1**", "file: passive, motion": "**1 of 1**",
		"file: passive, motion, flash": "0 of 1", "file: passive, motion, turn": "**1 of 1**",
		"WebRTC: passive": "**1 of 1**", "WebRTC: passive, motion": "**1 of 1**", "WebRTC: passive, motion, turn": "0 of 1",
	}, cells)
}

// TestOneColumnIsReplaced: the other columns, and the variants that were not judged, stay as they are.
func TestOneColumnIsReplaced(t *testing.T) {
	page := "text\n| variant | shows | A | B |\n|---|---|---|---|\n| still | still | 1 of 4 | 0 of 3 |\n| loop-1s | video | 0 of 4 | 0 of 2 |\n\n| still | no row of it |\n"
	cells := map[string]string{"still": "**1 of 4**", "loop-1s": "–"}
	text, err := withColumn(page, "A", func(v string) string { return cells[v] })
	require.NoError(t, err)
	require.Equal(t, strings.Replace(page, "1 of 4", "**1 of 4**", 1), text)
	text, err = withColumn(page, "B", func(string) string { return "0 of 2" })
	require.NoError(t, err)
	require.Equal(t, page, text, "fewer of still, as many of the loop")
	text, err = withColumn(page, "B", func(string) string { return "**1 of 1**" })
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(text, "**1 of 1**"))
	_, err = withColumn(page, "C", func(string) string { return "" })
	require.Error(t, err)
}
