package pipeline

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// layered is a source of several streams, which are taken by turns or as they are asked for.
type layered struct {
	*script
	stream func(n int) int // of the n-th picture
	asked  func()
	small  bool
	finer  int // how often finer pictures were asked for
}

type streamed struct {
	*picture
	stream int
}

func (s streamed) Stream() int { return s.stream }

func (l *layered) Next(ctx context.Context) (liveproof.Picture, error) {
	n := l.next
	p, err := l.script.Next(ctx)
	if err != nil {
		return nil, err
	}
	return streamed{p.(*picture), l.stream(n)}, nil
}

func (l *layered) PreferLarger() { l.asked() }

func (l *layered) Reduced() bool { return l.small }

func (l *layered) PreferFiner() { l.finer++ }

// TestStreamsAreNotJoined: evidence never adds up across two of a sender's streams, whatever the
// faces look like; a change that comes once costs the evidence so far and no more.
func TestStreamsAreNotJoined(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream func(n int) int
		want   liveproof.Outcome
		least  int // stream_changed in the timeline
	}{
		{"one stream", func(int) int { return 1 }, isLive, 0},
		{"a source that does not number them", func(int) int { return 0 }, isLive, 0},
		{"another after 1.5 s", func(n int) int { return 1 + min(n/45, 1) }, isLive, 1},
		{"another every 1.5 s", func(n int) int { return 1 + n/45 }, inconclusive, 5},
		{"two by turns, picture by picture", func(n int) int { return n % 2 }, inconclusive, 5},
		{"two by turns, every 1.5 s", func(n int) int { return 1 + n/45%2 }, inconclusive, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				v, err := r.runFrom(context.Background(), &layered{script: r.src, stream: tt.stream, asked: func() { t.Error("larger pictures are asked for") }}, r.store)
				require.NoError(t, err)
				require.Equal(t, tt.want, v.Outcome)
				changes := 0
				for _, s := range r.timeline() {
					if slices.Contains(s.Reasons, liveproof.ReasonStreamChanged) {
						changes++
						require.False(t, s.Scored)
					}
				}
				require.GreaterOrEqual(t, changes, tt.least)
				if tt.least == 0 {
					require.Zero(t, changes)
				}
			})
		})
	}
}

// TestStreamChangeInACall takes live back, restores the full sampling rate and searches the whole picture.
func TestStreamChangeInACall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const change = 900 // after 30 s
		r := liveRig(t, live(1200, 30))
		r.info.Mode = liveproof.ModeCall
		_, err := r.runFrom(context.Background(), &layered{script: r.src, stream: func(n int) int { return 1 + n/change }}, r.store)
		require.NoError(t, err)
		require.Equal(t, []liveproof.Outcome{isLive, liveproof.OutcomePending, isLive}, r.verdicts())
		samples := r.timeline()
		at := slices.IndexFunc(samples, func(s liveproof.Sample) bool { return slices.Contains(s.Reasons, liveproof.ReasonStreamChanged) })
		require.Equal(t, r.src.pictures[change].t, samples[at].T, "the first picture of the new stream")
		require.Less(t, samples[at+6].T-samples[at+1].T, 6*r.cfg.period(), "the full rate")
	})
}

// TestLargerPicturesAreAskedFor while the face is too small or too coarse, and not for another reason.
func TestLargerPicturesAreAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		why  func(n int) []liveproof.Reason
		want bool
	}{
		{"too small", func(int) []liveproof.Reason { return []liveproof.Reason{liveproof.ReasonFaceTooSmall} }, true},
		{"too small and dark", func(int) []liveproof.Reason {
			return []liveproof.Reason{liveproof.ReasonTooDark, liveproof.ReasonFaceTooSmall}
		}, true},
		{"too coarse", func(int) []liveproof.Reason { return []liveproof.Reason{liveproof.ReasonLowBitrate} }, true},
		{"dark", func(int) []liveproof.Reason { return []liveproof.Reason{liveproof.ReasonTooDark} }, false},
		{"for a moment", func(n int) []liveproof.Reason {
			if n%60 < 9 { // two samples of ten
				return []liveproof.Reason{liveproof.ReasonFaceTooSmall}
			}
			return nil
		}, false},
		{"well", func(int) []liveproof.Reason { return nil }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var stream atomic.Int64
				stream.Store(1)
				r := liveRig(t, live(600, 30).ending(nil))
				asked := 0
				src := &layered{script: r.src, stream: func(int) int { return int(stream.Load()) }, asked: func() { asked++; stream.Store(2) }}
				r.models.assess = func(n int) liveproof.Quality {
					if stream.Load() == 2 {
						return liveproof.Quality{Weight: 1}
					}
					return liveproof.Quality{Weight: 1, Reasons: tt.why(n)}
				}
				v, err := r.runFrom(context.Background(), src, r.store)
				require.NoError(t, err)
				require.Equal(t, tt.want, asked > 0, "asked %d times", asked)
				if tt.want {
					require.Equal(t, isLive, v.Outcome, "the larger pictures show the face well")
				}
			})
		})
	}
}

// TestReducedPicturesProveNoAttack: what is left out of a small copy of the sender's pictures may look like an attack. It is judged
// as before in favour of a person, and no session goes on for it.
func TestReducedPicturesProveNoAttack(t *testing.T) {
	lowBitrate := []liveproof.Reason{liveproof.ReasonLowBitrate, liveproof.ReasonInsufficientEvidence}
	for _, tt := range []struct {
		name    string
		reduced bool
		rho     float64
		want    liveproof.Outcome
		reasons []liveproof.Reason
	}{
		{"an attack in full size", false, 0.1, isSpoof, []liveproof.Reason{liveproof.ReasonScoreBelow}},
		{"an attack in a small copy", true, 0.1, inconclusive, lowBitrate},
		{"near the threshold in a small copy", true, 0.5, inconclusive,
			[]liveproof.Reason{liveproof.ReasonDeadline, liveproof.ReasonScoreNear, liveproof.ReasonLowBitrate}},
		{"a person in full size", false, 0.9, isLive, []liveproof.Reason{liveproof.ReasonScoreAbove}},
		{"a person in a small copy", true, 0.9, isLive, []liveproof.Reason{liveproof.ReasonScoreAbove}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				r.models.score = always(tt.rho)
				v, err := r.runFrom(context.Background(), &layered{script: r.src, stream: func(int) int { return 1 }, small: tt.reduced,
					asked: func() { t.Error("larger pictures are asked for") }}, r.store)
				require.NoError(t, err)
				require.Equal(t, tt.want, v.Outcome)
				require.Equal(t, tt.reasons, v.Reasons)
				if tt.rho < 0.5 || tt.rho > 0.6 {
					require.Less(t, v.At, 5*time.Second, "it ends as soon as without a small copy")
				}
			})
		})
	}
}

// TestFaceTooSmallInAReducedPicture is the bandwidth's fault, not the person's.
func TestFaceTooSmallInAReducedPicture(t *testing.T) {
	for reduced, want := range map[bool]liveproof.Reason{false: liveproof.ReasonFaceTooSmall, true: liveproof.ReasonLowBitrate} {
		t.Run(string(want), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				r.models.assess = func(int) liveproof.Quality {
					return liveproof.Quality{Weight: 1, Reasons: []liveproof.Reason{liveproof.ReasonFaceTooSmall}}
				}
				asked := 0
				v, err := r.runFrom(context.Background(), &layered{script: r.src, stream: func(int) int { return 1 }, small: reduced, asked: func() { asked++ }}, r.store)
				require.NoError(t, err)
				require.Equal(t, []liveproof.Reason{liveproof.ReasonDeadline, want, liveproof.ReasonInsufficientEvidence}, v.Reasons)
				require.Positive(t, asked, "larger pictures are asked for in both cases")
			})
		})
	}
}

// TestFinerPicturesAreAskedFor with every sample that is too coarse, from the first on, and with no other.
func TestFinerPicturesAreAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name   string
		coarse func(n int) bool
	}{
		{"always", func(int) bool { return true }},
		{"now and then", func(n int) bool { return n%10 < 2 }},
		{"never", func(int) bool { return false }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(600, 30).ending(nil))
				r.models.assess = func(n int) liveproof.Quality {
					if tt.coarse(n) {
						return liveproof.Quality{Weight: 1, Reasons: []liveproof.Reason{liveproof.ReasonLowBitrate}}
					}
					return liveproof.Quality{Weight: 1, Reasons: []liveproof.Reason{liveproof.ReasonTooDark}}
				}
				src := &layered{script: r.src, stream: func(int) int { return 1 }, asked: func() {}}
				_, err := r.runFrom(context.Background(), src, r.store)
				require.NoError(t, err)
				want := 0
				for _, s := range r.timeline() {
					if slices.Contains(s.Reasons, liveproof.ReasonLowBitrate) {
						want++
					}
				}
				require.Equal(t, want, src.finer)
				require.Equal(t, tt.name != "never", want > 0)
			})
		})
	}
}

// TestNoFaceAsksForNothing: a larger picture of nobody shows nobody.
func TestNoFaceAsksForNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30).ending(nil))
		r.models.detect = func(context.Context, int) (liveproof.Detection, error) { return liveproof.Detection{Primary: -1}, nil }
		src := &layered{script: r.src, stream: func(int) int { return 1 }, asked: func() { t.Error("larger pictures are asked for") }}
		_, err := r.runFrom(context.Background(), src, r.store)
		require.NoError(t, err)
	})
}
