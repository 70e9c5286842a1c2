package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation/report"
)

// linear is a filter for a longer or shorter exposure, in linear light.
func linear(gain string) string {
	light := "clip(255*pow(" + gain + `*pow(val/255\,2.2)\,1/2.2)\,0\,255)`
	return "format=gbrp,lutrgb=r=" + light + ":g=" + light + ":b=" + light
}

// backLit darkens an ellipse in the middle, where the person is, and brightens the rest.
func backLit(face, around string) string {
	return "format=gbrp,split=3[a][b][m];[m]trim=end_frame=1,format=gray,geq=lum='255*lte(hypot((X-W/2)/(0.3*W)\\,(Y-H*0.5)/(0.55*H))\\,1)'," +
		"gblur=sigma=8,format=gbrp,loop=-1:1:0[mask];[a]" + linear(around) + "[bright];[b]" + linear(face) + "[dark];[bright][dark][mask]maskedmerge"
}

// TestBadLightIsNoAttack: a person who can hardly be seen is told why, and is never taken for an attack. As filmed, and a little worse, the person is live.
func TestBadLightIsNoAttack(t *testing.T) {
	shared(t, "models/retinaface_mobilenet025.onnx")
	fine := []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "16"}
	for name, c := range map[string]struct {
		filter string
		why    liveproof.Reason // empty: live
	}{
		"as filmed":    {"null", ""},
		"a light haze": {"format=gbrp,lutrgb=r=val*0.8+40:g=val*0.8+40:b=val*0.8+40", ""},
		"bright":       {linear("2"), liveproof.ReasonOverexposed},
		"haze":         {"format=gbrp,lutrgb=r=val*0.35+130:g=val*0.35+130:b=val*0.35+130", liveproof.ReasonHazy},
		"back light":   {backLit("0.12", "2.5"), liveproof.ReasonTooDark},
		"overexposed":  {linear("4"), liveproof.ReasonOverexposed},
		"defocused":    {"gblur=sigma=6", liveproof.ReasonBlurred},
	} {
		t.Run(name, func(t *testing.T) {
			path := film(t, "a.mkv", fine, "-f", "mjpeg", "-r", "30", "-i", shared(t, "media/person_A_640x480.mjpeg"), "-filter_complex", c.filter, "-t", "4", "-r", "15")
			lines, _ := replay(t, path)
			l := lines[0]
			t.Logf("%s %v scored %d of %d unscored %v", l.Verdict, l.Reasons, l.Frames.Scored, l.Frames.Sampled, l.Unscored)
			if c.why == "" {
				require.Equal(t, liveproof.OutcomeLive, l.Verdict)
				require.LessOrEqual(t, l.Unscored[liveproof.ReasonHazy], l.Frames.Sampled/10, "a veil of a fifth is where the limit begins")
				return
			}
			require.Equal(t, liveproof.OutcomeInconclusive, l.Verdict)
			require.Contains(t, l.Reasons, c.why)
			require.Greater(t, l.Unscored[c.why], l.Frames.Sampled/2)
		})
	}
}

// TestEvaluateQuality: everything is scored, and the report tells what the limits would refuse. Other limits need no new judging.
func TestEvaluateQuality(t *testing.T) {
	root, table := ownFiles(t)
	out, limited := t.TempDir(), filepath.Join(t.TempDir(), "strict.yaml")
	text, errText, code := evaluate(t, out, "--csv", table, "--root", root, "--quality")
	require.Equal(t, exitPartial, code, errText)
	require.Contains(t, text, "blur, variance of the Laplacian")
	require.FileExists(t, filepath.Join(out, "quality.svg"))
	refused := func() int {
		var r report.Report
		require.NoError(t, json.Unmarshal([]byte(readFile(t, out, report.JSONName)), &r))
		require.Equal(t, "refused", r.Quality.Limits[2].Name)
		return r.Quality.Limits[2].Share.Count
	}
	before, results := refused(), readFile(t, out, "results.jsonl")
	require.NoError(t, os.WriteFile(limited, []byte("detector:\n  quality: {min_blur: 100000}\n"), 0o600))
	_, errText, code = evaluate(t, out, "--csv", table, "--root", root, "--quality", "--config", limited)
	require.Equal(t, exitPartial, code, errText)
	require.Greater(t, refused(), before)
	require.True(t, strings.HasPrefix(readFile(t, out, "results.jsonl"), results), "what was judged is kept")

	_, errText, code = evaluate(t, t.TempDir(), "--csv", table, "--root", root, "--quality", "--via", "webrtc")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errText, "--quality: only with --via direct")
}
