package robustness

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
)

const (
	live  = liveproof.OutcomeLive
	spoof = liveproof.OutcomeSpoof
	none  = liveproof.OutcomeInconclusive
)

// result has a sample each 200 ms with these scores; negative: the sample was not scored.
func result(name, attack string, verdict liveproof.Outcome, rhos ...float64) evaluation.Result {
	r := evaluation.Result{Presentation: evaluation.Presentation{Name: name, AttackType: attack}, Verdict: verdict}
	for i, rho := range rhos {
		r.Samples = append(r.Samples, liveproof.Sample{T: time.Duration(i) * 200 * time.Millisecond, Rho: max(0, rho), Scored: rho >= 0})
	}
	r.Score, r.Acquired = evaluation.MeanRho(r.Samples)
	return r
}

func TestCompare(t *testing.T) {
	earlier := []evaluation.Result{
		result("a", "", live, .8, .8, .8, .2, .2, .2, .2), // its session ended after three samples
		result("b", "", live, .9, .9),
		result("c", "print", spoof, .1, .1),
		result("d", "print", none, .5, .5),
		result("e", "print", spoof, .1),
		result("only here", "", live, 1),
	}
	later := []evaluation.Result{
		result("e", "print", liveproof.OutcomePending, -1), // no score: no Δρ
		result("d", "print", live, .7, .7),
		result("c", "print", spoof, .1, .3),
		result("b", "", none, .6, -1),
		result("a", "", live, .8, .8, .8),
		result("only there", "", live, 1),
	}
	c := Compare(earlier, later)
	require.Equal(t, 5, c.Files)
	require.Equal(t, 4, c.Compared, "of a, b, c and d: 0, -0.3, 0.1 and 0.2")
	require.InDelta(t, .15, c.Delta.Mean, 1e-9)
	require.InDelta(t, .1, c.Delta.Median, 1e-9)
	require.InDelta(t, .3, c.Delta.P95, 1e-9)
	require.InDelta(t, .3, c.Delta.Max, 1e-9)
	require.InDelta(t, 0, c.Shift, 1e-9)
	require.Equal(t, Matrix{live: {live: 1, none: 1}, spoof: {spoof: 1, none: 1}, none: {live: 1}}, c.Verdicts)
	require.InDelta(t, .4, c.Agreement, 1e-9)
	require.Zero(t, c.Verdicts.Count(spoof, live))
}

func TestCompareOfNothing(t *testing.T) {
	require.Equal(t, Change{Verdicts: Matrix{}}, Compare(nil, nil))
	c := Compare([]evaluation.Result{result("a", "", none)}, []evaluation.Result{result("a", "", none)})
	require.Equal(t, Change{Files: 1, Verdicts: Matrix{none: {none: 1}}, Agreement: 1}, c)
}

// runs has one encoding and two losses; the second one hides an attack's face.
func runs() (Runs, []Encoding, []float64) {
	e := Encoding{Codec: "vp8", Bitrate: 600_000}
	failed := result("attack", "print", none)
	failed.Error, failed.Unscored = "peer connection failed", map[liveproof.Reason]int64{liveproof.ReasonOverload: 3, liveproof.ReasonBlurred: 2}
	return Runs{
		Original:  []evaluation.Result{result("person", "", live, .9, .9), result("attack", "print", spoof, .2, .2)},
		Reencoded: map[Encoding][]evaluation.Result{e: {result("person", "", live, .8, .8), result("attack", "print", spoof, .2, .2)}},
		WebRTC: map[Cell][]evaluation.Result{
			{e, 0}:  {result("person", "", live, .8, .8), result("attack", "print", live, .7, .7)},
			{e, .2}: {result("person", "", spoof, .4, .4), failed},
		},
	}, []Encoding{e}, []float64{0, .2}
}

func TestBuild(t *testing.T) {
	all, encodings, losses := runs()
	r := Build(all, encodings, losses, .5)
	require.Equal(t, [2]int{1, 1}, [2]int{r.BonaFide, r.Attacks})
	require.Zero(t, *r.Original.HTER)
	e := r.Encodings[0]
	require.Zero(t, *e.Reencoded.HTER)
	require.InDelta(t, .05, e.Encoder.Delta.Mean, 1e-9)
	require.InDelta(t, 1, e.Encoder.Agreement, 0)
	clean, lossy := e.WebRTC[0], e.WebRTC[1]
	require.InDelta(t, .5, *clean.Outcome.HTER, 0, "the attack is accepted")
	require.InDelta(t, .25, clean.FromReencoded.Delta.Mean, 1e-9)
	require.InDelta(t, .3, clean.FromOriginal.Delta.Mean, 1e-9)
	require.Equal(t, 1, clean.FromOriginal.Verdicts.Count(spoof, live))
	require.InDelta(t, .5, *lossy.Outcome.HTER, 0, "the person is rejected")
	require.Equal(t, Outcome{HTER: lossy.Outcome.HTER, BonaFide: lossy.Outcome.BonaFide, Attacks: lossy.Outcome.Attacks,
		Inconclusive: .5, NotScored: 1, Failed: 1, Overloaded: 3}, lossy.Outcome)
	require.Equal(t, [3]int{0, 1, 0}, [3]int{lossy.Outcome.BonaFide.Live, lossy.Outcome.BonaFide.Spoof, lossy.Outcome.BonaFide.None})
}

func TestOneClassHasNoHTER(t *testing.T) {
	r := Build(Runs{Original: []evaluation.Result{result("person", "", live, .9)}}, nil, nil, .5)
	require.Nil(t, r.Original.HTER)
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "–")
}

func TestTables(t *testing.T) {
	all, encodings, losses := runs()
	r := Build(all, encodings, losses, .5)
	var text, markdown bytes.Buffer
	require.NoError(t, r.Text(&text))
	require.NoError(t, r.Markdown(&markdown))
	for _, row := range [][]string{
		{"vp8 600 kbit/s", "original → re-encoded", "0.050", "100.0 % of 2"},
		{"vp8 600 kbit/s", "re-encoded → WebRTC", "0.250", "50.0 % of 2"},
		{"vp8 600 kbit/s", "original → WebRTC", "0.300", "50.0 % of 2"},
		{"none", "direct", "0.0 %"},
		{"vp8 600 kbit/s", "WebRTC, loss 20.0 %", "0.500", "50.0 %"},
	} {
		require.True(t, hasLine(text.String(), row), "%v\n%s", row, text.String())
		require.True(t, hasLine(markdown.String(), row), "%v\n%s", row, markdown.String())
	}
	columns := -1
	for line := range strings.Lines(markdown.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = -1
			continue
		}
		count := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns >= 0 {
			require.Equal(t, columns, count, line)
		}
		columns = count
	}
	full := errors.New("full")
	require.ErrorIs(t, r.Text(broken{full}), full)
	require.ErrorIs(t, r.Markdown(broken{full}), full)
}

func hasLine(text string, parts []string) bool {
	for line := range strings.Lines(text) {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return true
		}
	}
	return false
}

// broken fails to write.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestReportSurvivesJSON(t *testing.T) {
	all, encodings, losses := runs()
	r := Build(all, encodings, losses, .5)
	data, err := json.Marshal(r)
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, r, again)
}

func TestNames(t *testing.T) {
	list := Encodings([]string{"vp8", "h264"}, []string{"", "fast"}, []int{300_000, 1_250_500})
	require.Len(t, list, 8)
	names := map[string]bool{}
	for _, e := range list {
		for _, loss := range []float64{0, .02, .1} {
			names[Cell{e, loss}.Name()] = true
		}
	}
	require.Len(t, names, 24)
	require.True(t, names["h264-1250.5k-fast-loss0.02"])
	require.Equal(t, "h264 1250.5 kbit/s fast", list[7].String())
}
