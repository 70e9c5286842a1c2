package main

import (
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
