package engine_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/variants"
	"github.com/liveproof/liveproof/internal/variants/load"
	"github.com/liveproof/liveproof/transcode"
	"github.com/liveproof/liveproof/verdict"
)

// filmed makes a variant of a filmed person, who is followed by another in swaps, and encodes it as a publisher does. Its picture rate is low to save time.
func filmed(t *testing.T, m variants.Material, name string, length time.Duration) string {
	t.Helper()
	v, err := variants.Find(name)
	require.NoError(t, err)
	sequence, err := v.Make(m, length, 1)
	require.NoError(t, err)
	cfg := transcode.DefaultConfig()
	cfg.Bitrate = 1_000_000
	file, err := os.Create(filepath.Join(t.TempDir(), name+".ivf"))
	require.NoError(t, err)
	_, err = transcode.Pictures(t.Context(), cfg, sequence, sequence.Rate(), file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return file.Name()
}

func material(t *testing.T) variants.Material {
	t.Helper()
	root := filepath.Join(os.Getenv("LIVEPROOF_SHARED"), "media")
	if _, err := os.Stat(filepath.Join(root, "people")); err != nil {
		t.Skip("the recordings of people are absent (set LIVEPROOF_SHARED)")
	}
	format := load.Camera()
	format.Rate, format.Longest = 10, 5400*time.Millisecond
	person, err := load.Clip(t.Context(), filepath.Join(root, "people/person_d19.mp4"), format)
	require.NoError(t, err)
	other, err := load.Clip(t.Context(), filepath.Join(root, "person_B_640x480.mjpeg"), format)
	require.NoError(t, err)
	faces, err := engine.OpenFaces(engine.DefaultConfig(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, faces.Close()) }()
	m, err := load.Material(context.Background(), faces, person, other, time.Second)
	require.NoError(t, err)
	return m
}

// judgedBy folds the timeline of a file that was judged with a challenge, by a policy without it.
func judgedBy(r engine.Report, required ...liveproof.Evidence) liveproof.Verdict {
	p := verdict.DefaultPolicy()
	p.Threshold, p.Require = r.Threshold.Value, required
	samples := slices.Clone(r.Samples)
	for i := range samples {
		samples[i].Reasons = slices.DeleteFunc(slices.Clone(samples[i].Reasons), func(why liveproof.Reason) bool {
			return why == liveproof.ReasonChallengeFailed || why == liveproof.ReasonChallengeUnanswered
		})
	}
	return verdict.Fold(p, liveproof.ModeOnboarding, samples, samples[len(samples)-1].T, liveproof.ReasonInsufficientEvidence)
}

const passive, motion = liveproof.EvidencePassive, liveproof.EvidenceMotion

// TestVariantsAreNotLive: photographs in motion and swaps are not live by default, and nothing is with a challenge that nobody answers. What the
// evidence withholds would else be live. TEST_THOROUGH tries every variant; docs/variants.md has them of several people, over WebRTC too.
func TestVariantsAreNotLive(t *testing.T) {
	m := material(t)
	cfg := engine.DefaultConfig()
	cfg.Verdict.Require = []liveproof.Evidence{passive, motion, liveproof.EvidenceFlash}
	cfg.Identity.Timeout = 10 * time.Second // this machine may be busy
	judge := open(t, cfg)
	for name, withheld := range map[string]bool{ // whether passive alone would call it live
		"jitter-3px": true, "bent-slow": true, "swap-cut-to-still": false, "swap-fade-to-still": false, "swap-fade-to-person": false,
	} {
		t.Run(name, func(t *testing.T) {
			r, err := judge.JudgeFile(t.Context(), filmed(t, m, name, 4*time.Second))
			require.NoError(t, err)
			require.NotEqual(t, liveproof.OutcomeLive, r.Verdict.Outcome)
			v := judgedBy(r, passive, motion)
			if withheld {
				require.Equal(t, liveproof.OutcomeLive, judgedBy(r, passive).Outcome)
			}
			requireWithheld(t, name, v)
		})
	}
	t.Run("with a challenge", func(t *testing.T) {
		for _, name := range []string{"elastic-5px", "loop-2s"} {
			r, err := judge.JudgeFile(t.Context(), filmed(t, m, name, 5*time.Second))
			require.NoError(t, err)
			require.Equal(t, liveproof.OutcomeLive, judgedBy(r, passive, motion).Outcome, "%s: motion alone does not see it", name)
			require.Equal(t, liveproof.OutcomeInconclusive, r.Verdict.Outcome, name)
		}
	})
}

// TestEveryVariant is the long table of the kinds that the default must see, and of all kinds with a challenge. A photograph of the same person after that
// person is for challenges: the person has moved, and is the same.
func TestEveryVariant(t *testing.T) {
	if os.Getenv("TEST_THOROUGH") == "" {
		t.Skip("long (TEST_THOROUGH=1)")
	}
	m := material(t)
	cfg := engine.DefaultConfig()
	cfg.Verdict.Require = []liveproof.Evidence{passive, motion, liveproof.EvidenceFlash}
	cfg.Identity.Timeout = 10 * time.Second
	judge := open(t, cfg)
	seen := []variants.Kind{
		variants.KindStill, variants.KindPan, variants.KindZoom, variants.KindRotate, variants.KindJitter, variants.KindPerspective,
		variants.KindBent, variants.KindHeld, variants.KindNoise, variants.KindSwap, variants.KindPrint,
	}
	for _, v := range variants.All() {
		t.Run(v.Name, func(t *testing.T) {
			r, err := judge.JudgeFile(t.Context(), filmed(t, m, v.Name, 5400*time.Millisecond))
			require.NoError(t, err)
			require.NotEqual(t, liveproof.OutcomeLive, r.Verdict.Outcome, "with a challenge that nobody answers")
			if slices.Contains(seen, v.Kind) && !strings.HasSuffix(v.Name, "-own-still") {
				requireWithheld(t, v.Name, judgedBy(r, passive, motion))
			}
		})
	}
}

// requireWithheld: a still is not live, and a person who comes after something else is so only when seen alone for long enough.
func requireWithheld(t *testing.T, name string, v liveproof.Verdict) {
	t.Helper()
	if !strings.HasPrefix(name, "swap-") || strings.HasSuffix(name, "-to-still") {
		require.NotEqual(t, liveproof.OutcomeLive, v.Outcome)
		return
	}
	if v.Outcome == liveproof.OutcomeLive {
		alone := time.Duration(variants.SwapAt*float64(time.Second)) + verdict.DefaultPolicy().MinSpan
		require.GreaterOrEqual(t, v.At, alone, "evidence from before the swap counts")
	}
}
