package pipeline

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestEndingsNameTheirCause: each way to end without a decision has the reason that says who can change what.
func TestEndingsNameTheirCause(t *testing.T) {
	const (
		deadline     = liveproof.ReasonDeadline
		insufficient = liveproof.ReasonInsufficientEvidence
	)
	type reasons = []liveproof.Reason
	sees := func(why liveproof.Reason) func(r *rig) {
		return func(r *rig) {
			r.models.assess = func(int) liveproof.Quality { return liveproof.Quality{Weight: 1, Reasons: reasons{why}} }
		}
	}
	scores := func(rho func(n int) float64) func(r *rig) {
		return func(r *rig) {
			r.models.score = func(_ context.Context, n int) (float64, error) { return rho(n), nil }
		}
	}
	faces := func(track func(n int) liveproof.Detection) func(r *rig) {
		return func(r *rig) {
			r.models.detect = func(_ context.Context, n int) (liveproof.Detection, error) { return track(n), nil }
		}
	}
	long := func() publisher { return camera(40*time.Second, 30) }
	for name, tt := range map[string]struct {
		p    publisher
		set  func(r *rig)
		want reasons // of a live session, until its deadline
		file reasons // of a file of 12 s; nil: not tried
	}{
		"no face": {long(), faces(func(int) liveproof.Detection { return liveproof.Detection{Primary: -1} }),
			reasons{deadline, liveproof.ReasonNoFace, insufficient}, reasons{insufficient, liveproof.ReasonNoFace}},
		"too dark": {long(), sees(liveproof.ReasonTooDark),
			reasons{deadline, liveproof.ReasonTooDark, insufficient}, reasons{insufficient, liveproof.ReasonTooDark}},
		"two of three blurred": {long(), func(r *rig) {
			r.models.assess = func(n int) liveproof.Quality {
				if n/30%3 > 0 {
					return liveproof.Quality{Weight: 1, Reasons: reasons{liveproof.ReasonBlurred}}
				}
				return liveproof.Quality{Weight: 1}
			}
		}, reasons{deadline, liveproof.ReasonBlurred, insufficient}, reasons{insufficient, liveproof.ReasonBlurred}},
		"scores disagree": {long(), scores(func(n int) float64 { return 0.9 - 0.8*float64(n/30%2) }),
			reasons{deadline, liveproof.ReasonScoreUndecided}, reasons{liveproof.ReasonScoreUndecided}},
		"scores near the threshold": {long(), scores(func(n int) float64 { return 0.5 + 0.03*math.Sin(float64(n)) }),
			reasons{deadline, liveproof.ReasonScoreNear}, reasons{liveproof.ReasonScoreNear}},
		"people take turns": {long(), faces(func(n int) liveproof.Detection { return oneFace(1 + n/45) }),
			reasons{deadline, liveproof.ReasonFaceChanged, insufficient}, reasons{insufficient, liveproof.ReasonFaceChanged}},
		"two people": {long(), faces(func(int) liveproof.Detection {
			d := oneFace(1)
			d.Faces = append(d.Faces, d.Faces[0])
			return d
		}), reasons{deadline, liveproof.ReasonMultipleFaces, insufficient}, reasons{insufficient, liveproof.ReasonMultipleFaces}},
		"one picture a second": {camera(40*time.Second, 1), nil,
			reasons{deadline, liveproof.ReasonLowFrameRate, insufficient}, reasons{insufficient, liveproof.ReasonLowFrameRate}},
		"stalls of 3 s": {pause(pause(pause(pause(long(), time.Second, 3*time.Second), 5*time.Second, 3*time.Second), 9*time.Second, 3*time.Second),
			13*time.Second, 3*time.Second), nil, reasons{deadline, liveproof.ReasonLowFrameRate, insufficient}, nil},
		"slow motion": {long().speed(0.1), nil, reasons{deadline, liveproof.ReasonLowFrameRate, insufficient}, nil},
		"runs ahead":  {long().speed(1.5), nil, reasons{deadline, liveproof.ReasonInjectionTiming, insufficient}, nil},
		"a loop of timestamps": {func() publisher {
			p := long()
			for i := range p.times {
				p.times[i] %= 1800 * time.Millisecond
			}
			return p
		}(), nil, reasons{deadline, liveproof.ReasonTimestampsBackward, insufficient}, nil},
		"time jumps again and again": {func() publisher {
			p := long()
			for i, at := range p.times {
				jumps := int64((at + 2*time.Second) / (3500 * time.Millisecond))
				p.times[i] += time.Duration(jumps) * time.Hour
			}
			return p
		}(), nil, reasons{deadline, liveproof.ReasonTimestampsJumped, insufficient}, nil},
		"a still picture": {long(), func(r *rig) {
			r.src.edit(func(_ int, p *picture) { p.digest = 1 })
		}, reasons{deadline, liveproof.ReasonFrozenPicture, insufficient}, reasons{insufficient, liveproof.ReasonFrozenPicture}},
		"the model fails": {long(), scores(func(int) float64 { return math.NaN() }),
			reasons{deadline, liveproof.ReasonScorerFailed, insufficient}, reasons{insufficient, liveproof.ReasonScorerFailed}},
		"the server is busy": {long(), func(r *rig) {
			r.models.score = func(context.Context, int) (float64, error) { return 0, liveproof.ErrOverloaded }
		}, reasons{deadline, liveproof.ReasonOverload, insufficient}, nil},
		"half the pictures are lost": {pause(camera(2*time.Second, 30), time.Second, time.Second/2), func(r *rig) {
			begun := time.Now()
			r.media = func() liveproof.FrameCounts {
				came := int64(time.Since(begun).Seconds() * 30)
				return liveproof.FrameCounts{Received: came, Decoded: came / 2, Dropped: came / 2}
			}
		}, reasons{liveproof.ReasonNoMedia, liveproof.ReasonPacketLoss, insufficient}, nil},
		"the video stops": {camera(time.Second, 30), nil, reasons{liveproof.ReasonNoMedia, insufficient}, nil},
		"a short file":    {camera(time.Second, 30), nil, nil, reasons{insufficient}},
	} {
		check := func(t *testing.T, r *rig, want reasons) {
			if tt.set != nil {
				tt.set(r)
			}
			v, err := r.run(context.Background())
			if want[0] != liveproof.ReasonNoMedia {
				require.NoError(t, err)
			}
			require.Equal(t, inconclusive, v.Outcome)
			require.Equal(t, want, v.Reasons)
		}
		if tt.want != nil {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) { check(t, liveRig(t, tt.p.script()), tt.want) })
			})
		}
		if tt.file != nil {
			t.Run(name+" in a file", func(t *testing.T) {
				p := tt.p
				n := slices.IndexFunc(p.times, func(at time.Duration) bool { return at >= 12*time.Second })
				if n > 0 {
					p.times = p.times[:n]
				}
				bubble(t, func(t *testing.T) { check(t, fileRig(t, p.file()), tt.file) })
			})
		}
	}
}

// TestEndingsOfThoseWhoLeave: who leaves early is told what would have been missing.
func TestEndingsOfThoseWhoLeave(t *testing.T) {
	for name, tt := range map[string]struct {
		why  liveproof.Reason
		set  func(r *rig)
		want []liveproof.Reason
	}{
		"in time to be decided": {liveproof.ReasonDisconnected, func(*rig) {}, []liveproof.Reason{liveproof.ReasonDisconnected, liveproof.ReasonInsufficientEvidence}},
		"unseen": {liveproof.ReasonDisconnected, func(r *rig) {
			r.models.assess = func(int) liveproof.Quality {
				return liveproof.Quality{Weight: 1, Reasons: []liveproof.Reason{liveproof.ReasonFaceTooSmall}}
			}
		}, []liveproof.Reason{liveproof.ReasonDisconnected, liveproof.ReasonFaceTooSmall, liveproof.ReasonInsufficientEvidence}},
		"server stopped": {liveproof.ReasonServerShutdown, func(*rig) {}, []liveproof.Reason{liveproof.ReasonServerShutdown, liveproof.ReasonInsufficientEvidence}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, camera(10*time.Second, 30).script())
				tt.set(r)
				ctx, cancel := context.WithCancelCause(context.Background())
				defer time.AfterFunc(1500*time.Millisecond, func() { cancel(&liveproof.EndError{Reason: tt.why}) }).Stop()
				v, err := r.run(ctx)
				require.NoError(t, err)
				require.Equal(t, tt.want, v.Reasons)
			})
		})
	}
}
