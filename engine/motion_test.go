package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
)

// TestMovedPhotographsAreNotLive: with motion required, people are live and photographs of them that are moved are not.
func TestMovedPhotographsAreNotLive(t *testing.T) {
	root := filepath.Join(os.Getenv("LIVEPROOF_SHARED"), "media")
	if _, err := os.Stat(filepath.Join(root, "hostile")); err != nil {
		t.Skip("the recordings of people are absent (set LIVEPROOF_SHARED)")
	}
	cfg := engine.DefaultConfig()
	cfg.Verdict.Require = []liveproof.Evidence{liveproof.EvidencePassive, liveproof.EvidenceMotion}
	judge := open(t, cfg)
	for file, want := range map[string]liveproof.Outcome{
		"person_A_640x480.mjpeg": liveproof.OutcomeLive,
		"people/person_d19.mp4":  liveproof.OutcomeLive,
		"hostile/a1_panzoom.mp4": liveproof.OutcomeInconclusive,
		"hostile/a2_jitter.mp4":  liveproof.OutcomeInconclusive,
		"hostile/f2_print_A.mp4": liveproof.OutcomeInconclusive,
	} {
		t.Run(file, func(t *testing.T) {
			r, err := judge.JudgeFile(t.Context(), filepath.Join(root, file))
			require.NoError(t, err)
			require.Equal(t, want, r.Verdict.Outcome, r.Verdict.Reasons)
			if want == liveproof.OutcomeInconclusive {
				require.Contains(t, r.Verdict.Reasons, liveproof.ReasonRigidMotion)
			} else {
				require.Contains(t, r.Verdict.Evidence, liveproof.EvidenceMotion)
			}
		})
	}
}
