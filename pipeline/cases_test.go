package pipeline

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// The tests here give the pipeline bad input and attacks, and check how it ends.

// TestEarlyScoreNeverPasses: a few high scores of a print, a screen replay or a
// cut-out give no live.
func TestEarlyScoreNeverPasses(t *testing.T) {
	tests := []struct {
		name string
		n    int
		rho  func(n int) float64
		want liveproof.Outcome
	}{
		{"perfect, then gone", 45, func(int) float64 { return 1 }, inconclusive},
		{"perfect, then an attack", 600, func(n int) float64 { return map[bool]float64{true: 1, false: 0}[n < 45] }, isSpoof},
		{"alternating", 600, func(n int) float64 { return float64(n / 6 % 2) }, inconclusive},
		{"attack", 600, func(int) float64 { return 0.02 }, isSpoof},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(tt.n, 30))
				r.models.score = func(_ context.Context, n int) (float64, error) { return tt.rho(n), nil }
				v, err := r.run(context.Background())
				require.NoError(t, err)
				require.Equal(t, tt.want, v.Outcome)
			})
		})
	}
}

// TestIdentityInDoubt: evidence never adds up across two identities.
func TestIdentityInDoubt(t *testing.T) {
	two := oneFace(1)
	two.Faces = append(two.Faces, two.Faces[0])
	tests := []struct {
		name   string
		detect func(n int) liveproof.Detection
		want   liveproof.Outcome
		reason liveproof.Reason
	}{
		{"swapped every 1.5 s", func(n int) liveproof.Detection { return oneFace(1 + n/45) }, inconclusive, ""},
		{"second face every 1.5 s", func(n int) liveproof.Detection {
			if n%45 < 6 {
				return two
			}
			return oneFace(1)
		}, inconclusive, liveproof.ReasonMultipleFaces},
		{"swapped once", func(n int) liveproof.Detection { return oneFace(1 + n/45*45/max(n, 1)) }, isLive, ""},
		// Which faces count as persons is the detector's to say.
		{"second face, however small", func(int) liveproof.Detection {
			d := oneFace(1)
			d.Faces = append(d.Faces, liveproof.Face{Box: liveproof.Box{X2: 1, Y2: 1}})
			return d
		}, inconclusive, liveproof.ReasonMultipleFaces},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				r.models.detect = func(_ context.Context, n int) (liveproof.Detection, error) { return tt.detect(n), nil }
				v, err := r.run(context.Background())
				require.NoError(t, err)
				require.Equal(t, tt.want, v.Outcome)
				if tt.reason != "" {
					require.True(t, hasReason(v, tt.reason), v.Reasons)
				}
			})
		})
	}
}

// TestUnusableViewIsNotScored: the person is told; the deadline gives inconclusive, never spoof.
func TestUnusableViewIsNotScored(t *testing.T) {
	for _, why := range []liveproof.Reason{liveproof.ReasonFaceTooSmall, liveproof.ReasonTooDark,
		liveproof.ReasonOverexposed, liveproof.ReasonHazy, liveproof.ReasonBlurred, liveproof.ReasonLowBitrate, liveproof.ReasonNoFace} {
		t.Run(string(why), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				r.models.score = func(context.Context, int) (float64, error) { panic("must not be scored") }
				r.models.assess = func(int) liveproof.Quality { return liveproof.Quality{Weight: 1, Reasons: []liveproof.Reason{why}} }
				if why == liveproof.ReasonNoFace {
					r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
						return liveproof.Detection{Primary: -1}, nil
					}
				}
				v, err := r.run(context.Background())
				require.NoError(t, err)
				require.Equal(t, inconclusive, v.Outcome)
				require.Equal(t, []liveproof.Reason{liveproof.ReasonDeadline, why, liveproof.ReasonInsufficientEvidence}, v.Reasons)
				require.Equal(t, []liveproof.Reason{why}, r.hints())
			})
		})
	}
}

// TestFrozenLoopedBackward: only new pictures with growing timestamps are
// evidence.
func TestFrozenLoopedBackward(t *testing.T) {
	const cycle = 54 // 1.8 s, less than the minimum evidence
	tests := []struct {
		name   string
		edit   func(i int, p *picture)
		reason liveproof.Reason
	}{
		{"frozen frame", func(i int, p *picture) { p.digest = uint64(min(i, 20)) }, liveproof.ReasonFrozenPicture},
		{"looped pictures", func(i int, p *picture) { p.digest = uint64(i % cycle) }, liveproof.ReasonFrozenPicture},
		{"loop out of step with sampling", func(i int, p *picture) { p.digest = uint64(i % 53) }, liveproof.ReasonFrozenPicture},
		{"played to and fro", func(i int, p *picture) {
			p.digest = uint64(i % cycle)
			if i/cycle%2 == 1 {
				p.digest = uint64(cycle - 1 - i%cycle)
			}
		}, liveproof.ReasonFrozenPicture},
		{"looped timestamps", func(i int, p *picture) { p.t = time.Duration(i%cycle) * time.Second / 30 },
			liveproof.ReasonTimestampsBackward},
		{"standing timestamps", func(i int, p *picture) { p.t = min(p.t, 1700*time.Millisecond) },
			liveproof.ReasonTimestampsBackward},
		{"backward from the start", func(i int, p *picture) { p.t = time.Minute - p.t }, liveproof.ReasonTimestampsBackward},
		{"negative", func(i int, p *picture) { p.t = -p.t - 1 }, liveproof.ReasonTimestampsBackward},
		{"jump to the end of time", func(i int, p *picture) {
			if i == 3 {
				p.t = math.MaxInt64
			}
			if i > 3 {
				p.t = math.MaxInt64 - time.Duration(i)
			}
		}, liveproof.ReasonTimestampsBackward},
	}
	for _, tt := range tests {
		for _, isFile := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: " in a file"}[isFile], func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					r := liveRig(t, live(600, 30).edit(tt.edit))
					if isFile {
						r = fileRig(t, play(600, 30).edit(tt.edit))
					}
					v, err := r.run(context.Background())
					require.NoError(t, err)
					require.Equal(t, inconclusive, v.Outcome)
					require.True(t, hasReason(v, tt.reason), "%v", v.Reasons)
					require.NotZero(t, r.report.Unscored[tt.reason])
					require.LessOrEqual(t, r.report.Counts.Scored, int64(10))
					require.Less(t, len(r.timeline()), 110, "rejected pictures must not flood the timeline")
				})
			})
		}
	}
}

// TestFastForward: stream time that runs ahead of the server's clock by more
// than a second does not count, so that the minimum evidence takes its time.
func TestFastForward(t *testing.T) {
	bubble(t, func(t *testing.T) {
		src := live(300, 30).edit(func(i int, p *picture) { p.t = time.Duration(i) * 200 * time.Millisecond })
		r := liveRig(t, src)
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.NotEqual(t, isLive, v.Outcome)
		require.NotZero(t, r.report.Drops[StageSample][liveproof.ReasonInjectionTiming])
		require.NotZero(t, r.report.Unscored[liveproof.ReasonInjectionTiming])
	})
}

// TestDoubledPicturesPass: a 15 Hz camera in a 30 Hz stream is no frozen picture.
func TestDoubledPicturesPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30).edit(func(i int, p *picture) { p.digest = uint64(i / 2) }))
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
	})
}

// TestLossAndJitter: loss and jitter withhold or delay a verdict, they never flip it.
func TestLossAndJitter(t *testing.T) {
	for _, loss := range []float64{0.05, 0.2, 0.5, 0.95, 0.98} {
		for _, rho := range []float64{0.1, 0.9} {
			bubble(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(loss*100), 3))
				src := live(450, 30)
				kept := src.pictures[:0]
				for _, p := range src.pictures {
					p.t += time.Duration(rnd.IntN(30)) * time.Millisecond
					if rnd.Float64() >= loss {
						kept = append(kept, p)
					}
				}
				src.pictures, src.pace = kept, time.Duration(float64(src.pace)/(1-loss))
				r := liveRig(t, src)
				r.models.score = always(rho)
				r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
					time.Sleep(time.Duration(rnd.IntN(150)) * time.Millisecond)
					return oneFace(1), nil
				}
				v, err := r.run(context.Background())
				require.NoError(t, err)
				want := isLive
				if rho < 0.5 {
					want = isSpoof
				}
				switch {
				case loss < 0.9:
					require.Equal(t, want, v.Outcome, "loss %v", loss)
				case loss < 0.98: // one or two pictures a second: enough for some sessions
					require.Contains(t, []liveproof.Outcome{want, inconclusive}, v.Outcome, "loss %v", loss)
				default:
					require.Equal(t, inconclusive, v.Outcome, "loss %v", loss)
				}
			})
		}
	}
}

// TestHeavyLossIsNamed: when most pictures are lost, the hint and an
// inconclusive verdict say so; a decision reached in spite of the loss does
// not.
func TestHeavyLossIsNamed(t *testing.T) {
	for _, tt := range []struct {
		share float64 // of the access units that give no picture
		n     int     // pictures
		want  liveproof.Outcome
		named bool
	}{{0.02, 20, inconclusive, false}, {0.1, 20, inconclusive, false}, {0.5, 20, inconclusive, true}, {0.5, 600, isLive, false}} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(tt.n, 30).ending(nil))
			begun := time.Now()
			r.media = func() liveproof.FrameCounts {
				came := int64(time.Since(begun).Seconds() * 30)
				lost := int64(tt.share * float64(came))
				return liveproof.FrameCounts{Received: came, Decoded: came - lost, Dropped: lost}
			}
			v, err := r.run(context.Background())
			require.NoError(t, err, "a sender that goes on sending is not idle")
			if tt.n == 20 {
				require.Equal(t, liveproof.ReasonDeadline, v.Reasons[0])
			}
			require.Equal(t, tt.want, v.Outcome)
			require.Equal(t, tt.named, hasReason(v, liveproof.ReasonPacketLoss), "%v", v.Reasons)
			require.NotEqual(t, liveproof.ReasonPacketLoss, v.Reasons[0])
			if tt.named {
				require.Contains(t, r.hints(), liveproof.ReasonPacketLoss)
			}
			if tt.share < lossShare {
				require.NotContains(t, r.hints(), liveproof.ReasonPacketLoss)
			}
		})
	}
}

// TestIdleIsASenderThatSendsNothing: while access units come that cannot be shown, because a key frame was lost, the session
// goes on, and it is judged when pictures come again. Once nothing comes, it ends.
func TestIdleIsASenderThatSendsNothing(t *testing.T) {
	wait := 2 * DefaultConfig().IdleTimeout
	for _, tt := range []struct {
		name string
		ends time.Duration // since the start: nothing is received after it
		idle bool
	}{{"access units come", time.Hour, false}, {"nothing comes", time.Second, true}, {"nothing comes any more", wait / 4, true}} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const lost = 30 // before this picture
				src := live(600, 30).edit(func(i int, p *picture) {
					if i >= lost {
						p.t += wait
					}
				})
				src.stall, src.stalled = lost, wait
				r := liveRig(t, src)
				r.info.Mode = liveproof.ModeCall
				begun := time.Now()
				r.media = func() liveproof.FrameCounts {
					came := int64(min(time.Since(begun), tt.ends).Seconds() * 30)
					return liveproof.FrameCounts{Received: came, Dropped: came / 2}
				}
				v, err := r.run(context.Background())
				if tt.idle {
					require.ErrorIs(t, err, liveproof.ErrIdle)
					require.Equal(t, inconclusive, v.Outcome)
					require.LessOrEqual(t, time.Since(begun), tt.ends+DefaultConfig().IdleTimeout+time.Second)
					return
				}
				require.NoError(t, err)
				require.Equal(t, isLive, v.Outcome)
			})
		})
	}
}

// TestOversizedPictureIsATypedEnd.
func TestOversizedPictureIsATypedEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(300, 30).edit(func(i int, p *picture) {
			if i > 30 {
				p.err = liveproof.ErrPictureTooLarge
			}
		}))
		v, err := r.run(context.Background())
		require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
		require.Equal(t, liveproof.ReasonUnsupportedMedia, v.Reasons[0])
		require.Equal(t, inconclusive, v.Outcome)
		require.Equal(t, liveproof.StateFailed, r.end.State)
	})
}

// TestPeerGone: however the peer leaves, the session ends and leaks nothing (see rig.run and
// TestMain).
func TestPeerGone(t *testing.T) {
	tests := []struct {
		name   string
		run    func(r *rig) (liveproof.Verdict, error)
		reason liveproof.Reason
		state  liveproof.State
		err    error
	}{
		{"tab closed", func(r *rig) (liveproof.Verdict, error) {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(1500*time.Millisecond, func() { cancel(&liveproof.EndError{Reason: liveproof.ReasonDisconnected}) })
			return r.run(ctx)
		}, liveproof.ReasonDisconnected, liveproof.StateExpired, nil},
		{"cancelled without a cause", func(r *rig) (liveproof.Verdict, error) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(1500*time.Millisecond, cancel)
			return r.run(ctx)
		}, liveproof.ReasonDisconnected, liveproof.StateExpired, nil},
		{"gone before it began", func(r *rig) (liveproof.Verdict, error) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return r.run(ctx)
		}, liveproof.ReasonDisconnected, liveproof.StateExpired, nil},
		{"stream ended", func(r *rig) (liveproof.Verdict, error) {
			r.src.pictures = r.src.pictures[:40]
			return r.run(context.Background())
		}, liveproof.ReasonDisconnected, liveproof.StateExpired, nil},
		{"silent from the start", func(r *rig) (liveproof.Verdict, error) {
			r.src.pictures = nil
			r.src.ending(nil)
			return r.run(context.Background())
		}, liveproof.ReasonNoMedia, liveproof.StateExpired, liveproof.ErrIdle},
		{"silent later", func(r *rig) (liveproof.Verdict, error) {
			r.src.pictures = r.src.pictures[:40]
			r.src.ending(nil)
			return r.run(context.Background())
		}, liveproof.ReasonNoMedia, liveproof.StateExpired, liveproof.ErrIdle},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(3000, 30))
				begun := time.Now()
				v, err := tt.run(r)
				require.ErrorIs(t, err, tt.err)
				require.Equal(t, inconclusive, v.Outcome)
				require.Equal(t, tt.reason, v.Reasons[0])
				require.Equal(t, tt.state, r.end.State)
				if tt.err != nil {
					require.LessOrEqual(t, time.Since(begun), 12*time.Second)
				}
			})
		})
	}
}

// TestFailuresNeverPass: whatever fails, the session does not become live.
func TestFailuresNeverPass(t *testing.T) {
	failed := errors.New("out of memory")
	score := func(rho float64, err error) models {
		return models{score: func(context.Context, int) (float64, error) { return rho, err }}
	}
	detect := func(do func() (liveproof.Detection, error)) models {
		return models{detect: func(context.Context, int) (liveproof.Detection, error) { return do() }}
	}
	tests := []struct {
		name   string
		models models
		reason liveproof.Reason
		panics bool
	}{
		{"inference fails", score(1, failed), liveproof.ReasonScorerFailed, false},
		{"NaN", score(math.NaN(), nil), liveproof.ReasonScorerFailed, false},
		{"infinite", score(math.Inf(1), nil), liveproof.ReasonScorerFailed, false},
		{"above one", score(1.0001, nil), liveproof.ReasonScorerFailed, false},
		{"negative", score(-0.0001, nil), liveproof.ReasonScorerFailed, false},
		{"overloaded", score(1, liveproof.ErrOverloaded), liveproof.ReasonOverload, false},
		{"scorer hangs", models{score: func(ctx context.Context, _ int) (float64, error) {
			<-ctx.Done()
			return 1, ctx.Err()
		}}, liveproof.ReasonOverload, false}, // most samples never get to it
		{"scorer panics", models{score: func(context.Context, int) (float64, error) { panic("boom") }}, "", true},
		{"detector fails", detect(func() (liveproof.Detection, error) { return oneFace(1), failed }), liveproof.ReasonScorerFailed, false},
		{"detector panics", detect(func() (liveproof.Detection, error) { panic("boom") }), "", true},
		{"detector points nowhere", detect(func() (liveproof.Detection, error) {
			return liveproof.Detection{Primary: 3, Track: 1}, nil
		}), liveproof.ReasonNoFace, false},
		{"quality is NaN", models{assess: func(int) liveproof.Quality { return liveproof.Quality{Weight: math.NaN()} }},
			liveproof.ReasonInternalError, false},
		{"quality panics", models{assess: func(int) liveproof.Quality { panic("boom") }}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				r.models = tt.models
				v, err := r.run(context.Background())
				require.Equal(t, inconclusive, v.Outcome)
				require.Zero(t, r.report.Counts.Scored)
				if tt.panics {
					require.ErrorIs(t, err, ErrPanic)
					require.Equal(t, liveproof.StateFailed, r.end.State)
					require.Equal(t, []liveproof.Reason{liveproof.ReasonInternalError}, v.Reasons)
					return
				}
				require.NoError(t, err)
				require.True(t, hasReason(v, tt.reason), v.Reasons)
			})
		})
	}
}

// TestOneFailedSampleHarmsNoOther: the session survives.
func TestOneFailedSampleHarmsNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		r.models.score = func(_ context.Context, n int) (float64, error) {
			if n/6%4 == 0 {
				return math.NaN(), nil
			}
			return 0.9, nil
		}
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.NotZero(t, r.report.Unscored[liveproof.ReasonScorerFailed])
	})
}

// TestLatePanicTakesLiveBack: a panic ends a call that was live as
// inconclusive.
func TestLatePanicTakesLiveBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		r.info.Mode = liveproof.ModeCall
		r.models.score = func(_ context.Context, n int) (float64, error) {
			if n > 300 {
				panic("boom")
			}
			return 0.9, nil
		}
		v, err := r.run(context.Background())
		require.ErrorIs(t, err, ErrPanic)
		require.Equal(t, inconclusive, v.Outcome)
		require.Equal(t, []liveproof.Outcome{isLive}, r.verdicts())
		require.Equal(t, liveproof.StateFailed, r.end.State)
	})
}

// TestPanickingEnds: a panic of the source or the observer ends only its
// session.
func TestPanickingEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30).edit(func(i int, p *picture) {
			if i == 30 {
				p.held = nil // releasing it panics
			}
		}))
		s, err := New(r.cfg, Deps{Source: r.src, Detector: &r.models, Cropper: &r.models, Scorer: &r.models, Identity: trusting{},
			Recorder: r.store, Policy: r.policy, Pool: &r.pool}, r.info)
		require.NoError(t, err)
		end, err := s.Run(context.Background())
		require.ErrorIs(t, err, ErrPanic)
		require.Equal(t, inconclusive, end.Verdict.Outcome)
		require.Zero(t, r.pool.Leased())
	})
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		r.watch = func(e liveproof.Event) {
			if e.Progress != nil && e.Progress.Fraction == 1 {
				panic("observer") // just when live is reached
			}
		}
		v, err := r.run(context.Background())
		require.ErrorIs(t, err, ErrPanic)
		require.Equal(t, inconclusive, v.Outcome)
	})
}

// TestShutdownEndsInATerminalState.
func TestShutdownEndsInATerminalState(t *testing.T) {
	for _, mode := range []liveproof.Mode{liveproof.ModeOnboarding, liveproof.ModeCall} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(3000, 30))
			r.info.Mode = mode
			r.models.score = func(_ context.Context, n int) (float64, error) { return 0.5 + 0.4*float64(n/300), nil }
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(5*time.Second, func() { cancel(&liveproof.EndError{Reason: liveproof.ReasonServerShutdown}) })
			begun := time.Now()
			v, err := r.run(ctx)
			require.NoError(t, err)
			require.Equal(t, inconclusive, v.Outcome)
			require.Equal(t, liveproof.ReasonServerShutdown, v.Reasons[0])
			require.True(t, r.end.State.Terminal())
			require.Less(t, time.Since(begun), 6*time.Second)
		})
	}
}
