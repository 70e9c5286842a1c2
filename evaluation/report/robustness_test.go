package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/robustness"
)

func TestPlotRobustness(t *testing.T) {
	half := .5
	sweep := func(loss, delta float64, hter *float64) robustness.Sweep {
		return robustness.Sweep{
			Loss: loss, Outcome: robustness.Outcome{HTER: hter, Inconclusive: loss},
			FromOriginal: robustness.Change{Compared: 1, Delta: robustness.Delta{Mean: delta}},
		}
	}
	r := robustness.Report{Encodings: []robustness.EncodingReport{
		{Encoding: robustness.Encoding{Codec: "vp8", Bitrate: 300_000}, WebRTC: []robustness.Sweep{sweep(0, .01, &half), sweep(.2, .1, &half)}},
		{Encoding: robustness.Encoding{Codec: "h264", Bitrate: 1_200_000, Preset: "fast"}, WebRTC: []robustness.Sweep{sweep(0, .02, nil)}},
	}}
	for name, r := range map[string]robustness.Report{"of a sweep": r, "of nothing": {}} {
		var svg bytes.Buffer
		require.NoError(t, PlotRobustness(&svg, r), name)
		var text string
		for dec := xml.NewDecoder(&svg); ; {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			if c, ok := token.(xml.CharData); ok {
				text += string(c) + "\n"
			}
		}
		for _, label := range []string{"mean |Δρ|", "HTER, %", "inconclusive, %", "loss of packets, %"} {
			require.Contains(t, text, label, name)
		}
		if len(r.Encodings) > 0 {
			require.Contains(t, text, "vp8 300k")
			require.Contains(t, text, "h264 1200k fast")
		}
	}
}
