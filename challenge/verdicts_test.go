package challenge_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/transcode"
	"github.com/liveproof/liveproof/verdict"
)

// whole keeps a picture as it is, at the size that a session sees.
func whole(at time.Duration, img *liveproof.Image, face liveproof.Face) recorded {
	out := liveproof.NewImage(img.Width, img.Height)
	for y := range img.Height {
		copy(out.Pix[y*out.Stride:][:3*img.Width], img.Pix[y*img.Stride:])
	}
	return recorded{at, out, face}
}

// TestStudyVerdicts renders people in the light of their session's challenge, and says when the pipeline, with its tracker and scorer, calls them
// live with passive, motion and flash required. The answer comes 4.5 s after the sequence was asked for.
func TestStudyVerdicts(t *testing.T) {
	if *study == "" {
		t.Skip("the study needs -study DIR")
	}
	cfg := engine.DefaultConfig()
	cfg.Identity.Timeout = 10 * time.Second // this machine may be busy
	judge, err := engine.Open(t.Context(), cfg, engine.Deps{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- judge.Run(ctx) }()
	defer func() {
		stop()
		require.NoError(t, errors.Join(<-ran, judge.Close()))
	}()
	for i, c := range clipsOf(t, []string{"people/person_d19.mp4", "person_B_*.mjpeg", "people/person_d13.mp4", "people/person_d9.mp4", "people/person_d6.mp4", "person_C_*.mjpeg", "person_A_*.mjpeg"}, whole) {
		c = shot(c)
		for k, share := range []float64{0.12, 0.35} {
			save(t, "verdicts.jsonl", litSession(t, judge, c, share, uint64(2*i+k)))
		}
	}
}

// shots are where the first cut of a published clip is; the cut starts the evidence again.
var shots = map[string]time.Duration{"person_A_640x480.mjpeg": 2500 * time.Millisecond}

// shot is the clip up to its first cut.
func shot(c clip) clip {
	if end, cut := shots[c.name]; cut {
		c.pictures = slices.DeleteFunc(c.pictures, func(p recorded) bool { return p.t >= end })
	}
	return c
}

// litSession films a clip in the light of what its examiner asks, and judges the film.
func litSession(t *testing.T, judge *engine.Engine, c clip, share float64, seed uint64) map[string]any {
	t.Helper()
	cfg := challenge.DefaultConfig()
	cfg.Attempts = 1
	flash, err := challenge.NewFlash(cfg, challenge.Seed{byte(seed), 7}, challenge.Options{})
	require.NoError(t, err)
	var asked *liveproof.Challenge
	var begins, answered time.Duration
	var likelihood float64
	show := func(at time.Duration, img *liveproof.Image, face liveproof.Face) bool {
		found, err := flash.Examine(context.Background(), liveproof.View{T: at, Image: img, Face: face, Track: 1})
		require.NoError(t, err)
		if found.Ask != nil {
			asked, begins = found.Ask, at+found.Ask.Begin
		}
		if l, judged := found.Signals["flash.likelihood"]; judged {
			likelihood = l
		}
		if len(found.Given) > 0 && answered == 0 {
			answered = at
		}
		return false
	}
	ask(t, show, c, &asked)
	lag := 250 * time.Millisecond
	random := rand.New(rand.NewPCG(seed, 5))
	cam := &camera{random: random, scene: scene{share: share, behind: 0.1, lag: lag, exposure: 400 * time.Millisecond, balance: 2 * time.Second, noise: 0.01}}
	to := transcode.DefaultConfig()
	to.Bitrate = 1_000_000
	path := filmed(t, c, cam, 195, time.Second/30, to, // the rate that media gives motion JPEG
		func(at time.Duration) [3]float64 { return screenAt(asked, at-begins-lag) })
	answer(t, path, c, show)
	r, err := judge.JudgeFile(t.Context(), path)
	require.NoError(t, err)
	both := fold(r, answered, liveproof.EvidencePassive, liveproof.EvidenceMotion)
	all := fold(r, answered, liveproof.EvidencePassive, liveproof.EvidenceMotion, liveproof.EvidenceFlash)
	return map[string]any{
		"clip": c.name, "share": share, "answered": answered.Seconds(), "likelihood": likelihood, "without": both.Outcome, "without_at": both.At.Seconds(),
		"verdict": all.Outcome, "at": all.At.Seconds(), "reasons": all.Reasons,
	}
}

// answer shows the film to the examiner, five pictures a second from its asking on.
func answer(t *testing.T, path string, c clip, show func(time.Duration, *liveproof.Image, liveproof.Face) bool) {
	t.Helper()
	file, err := media.OpenFile(media.DefaultConfig(), path)
	require.NoError(t, err)
	defer file.Close()
	var pool liveproof.ImagePool
	for i := 0; ; i++ {
		picture, err := file.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		if at := picture.Time(); i%6 == 0 && at > 600*time.Millisecond {
			img, err := picture.RGB(&pool)
			require.NoError(t, err)
			show(at, img, c.at(at).face)
		}
		picture.Release()
	}
}

// fold judges the film's timeline by a policy, with the answer at the time at which it came.
func fold(r engine.Report, answered time.Duration, required ...liveproof.Evidence) liveproof.Verdict {
	p := verdict.DefaultPolicy()
	p.Threshold, p.Require = r.Threshold.Value, required
	given := false
	for i, s := range r.Samples {
		if answered > 0 && s.T >= answered && !given {
			r.Samples[i].Evidence = append(slices.Clone(s.Evidence), liveproof.EvidenceFlash)
			given = true
		}
	}
	return verdict.Fold(p, liveproof.ModeOnboarding, r.Samples, r.Samples[len(r.Samples)-1].T, liveproof.ReasonInsufficientEvidence)
}
