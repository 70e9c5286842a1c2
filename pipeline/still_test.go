package pipeline

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// flicker is a still of a smooth picture, with the contrast of a face, as a lossy codec shows it: each
// time other cells are off, none by more than most levels.
func flicker(p *picture, most int) {
	r := rand.New(rand.NewPCG(p.digest, 7))
	p.show = func(to *liveproof.Thumbnail) {
		for i := range to {
			to[i] = uint8(30 + 3*(i/64+i%64)/2 + r.IntN(most+1))
		}
	}
}

// TestLossyStill: no two pictures have the same pixels, but nothing moves.
func TestLossyStill(t *testing.T) {
	for most, want := range map[int]liveproof.Outcome{1: inconclusive, stillLevels - 1: inconclusive, 4 * stillLevels: isLive} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(600, 30).ending(nil).edit(func(_ int, p *picture) { flicker(p, most) }))
			v, err := r.run(context.Background())
			require.NoError(t, err)
			require.Equal(t, want, v.Outcome, most)
			if want == inconclusive {
				require.True(t, hasReason(v, liveproof.ReasonFrozenPicture), "%v", v.Reasons)
				require.Equal(t, []liveproof.Reason{"frozen_picture"}, r.hints())
				require.Equal(t, int64(1), r.report.Counts.Scored)
			}
		})
	}
}

// TestStillUnderMovingSurroundings: only the face counts.
func TestStillUnderMovingSurroundings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		src := live(600, 30).ending(nil).edit(func(_ int, p *picture) {
			flicker(p, 1)
			quiet := p.show
			p.show = func(to *liveproof.Thumbnail) {
				quiet(to)
				for y := range liveproof.ThumbnailSide { // the right third changes; the face is at the left
					for x := 44; x < liveproof.ThumbnailSide; x++ {
						to[y*liveproof.ThumbnailSide+x] = uint8(p.digest * 37)
					}
				}
			}
		})
		v, err := liveRig(t, src).run(context.Background())
		require.NoError(t, err)
		require.Equal(t, inconclusive, v.Outcome)
	})
}

// TestLossyLoop: a loop in which every repetition has other noise. A loop
// cannot be found before it repeats: one of two seconds passes a one-shot
// session, but a call finds it.
func TestLossyLoop(t *testing.T) {
	for _, tt := range []struct {
		pictures int // length, at 30 pictures a second
		mode     liveproof.Mode
	}{{7, liveproof.ModeOnboarding}, {23, liveproof.ModeOnboarding}, {30, liveproof.ModeOnboarding}, {37, liveproof.ModeOnboarding},
		{30, liveproof.ModeCall}, {60, liveproof.ModeCall}, {151, liveproof.ModeCall}} {
		for _, noise := range []int{1, 8} {
			r := fileRig(t, play(900, 30).edit(func(i int, p *picture) {
				walk, grain := rand.New(rand.NewPCG(uint64(i%tt.pictures), 1)), rand.New(rand.NewPCG(uint64(i), 2))
				p.show = func(to *liveproof.Thumbnail) {
					for i := range to {
						to[i] = uint8(60 + walk.IntN(60) + grain.IntN(noise+1))
					}
				}
			}))
			r.info.Mode = tt.mode
			v, err := r.run(context.Background())
			require.NoError(t, err)
			require.Equal(t, inconclusive, v.Outcome, "%+v noise %d", tt, noise)
			require.Positive(t, r.report.Unscored[liveproof.ReasonFrozenPicture])
		}
	}
}

// TestFlatFace: what moves is told from what stands by the contrast that there is, and neither is guessed
// below the noise of encoders.
func TestFlatFace(t *testing.T) {
	all := region{0, 0, 64, 64}
	face := func(contrast float64, change int) *liveproof.Thumbnail { // every tenth cell changes
		cells := new(liveproof.Thumbnail)
		for i := range cells {
			cells[i] = uint8(128 + contrast*float64(i/64%2*2-1))
			if i%10 == 0 {
				cells[i] += uint8(change)
			}
		}
		return cells
	}
	for _, tt := range []struct {
		contrast float64
		change   int
		want     motion
	}{
		{40, 0, stands}, {40, stillLevels - 1, stands}, {40, stillLevels, moves},
		{faceContrast, stillLevels - 1, stands},
		{faceContrast / 2, 0, stands},
		{faceContrast / 2, stillLevels/2 - 1, stands},
		{faceContrast / 2, stillLevels/2 + 1, flat}, // at ordinary contrast this would be motion
		{faceContrast / 2, stillLevels, moves},
		{flatContrast - 1, 0, flat}, {flatContrast - 1, stillLevels - 1, flat}, {flatContrast - 1, stillLevels, moves},
		{0, 0, flat},
	} {
		var s stillness
		s.observe(nil, 0, face(tt.contrast, 0), all)
		got := s.observe(nil, 200*time.Millisecond, face(tt.contrast, tt.change), all)
		require.Equal(t, tt.want, got, "%+v, contrast %v", tt, all.contrast(face(tt.contrast, tt.change)))
	}
}

// TestBackInTheSamePose: one sample that matches the past is no loop.
func TestBackInTheSamePose(t *testing.T) {
	r := liveRig(t, live(600, 30).edit(func(i int, p *picture) {
		if i%20 == 0 {
			p.show = func(to *liveproof.Thumbnail) { *to = liveproof.Thumbnail{} }
		}
	}))
	r.cfg = r.cfg.Files()
	r.src.pace = 0
	v, err := r.run(context.Background())
	require.NoError(t, err)
	require.Equal(t, isLive, v.Outcome)
	require.Zero(t, r.report.Unscored[liveproof.ReasonFrozenPicture])
}

func TestStillnessRemembersAcrossSilence(t *testing.T) {
	var s stillness
	cells := new(liveproof.Thumbnail)
	for i := range cells {
		cells[i] = uint8(i)
	}
	all := region{0, 0, 64, 64}
	require.Equal(t, moves, s.observe(nil, 0, cells, all), "the first one cannot tell")
	require.Equal(t, stands, s.observe(nil, time.Hour, cells, all))
	for i := range 1000 {
		s.observe(nil, time.Hour+time.Duration(i)*10*time.Millisecond, cells, all)
	}
	require.LessOrEqual(t, len(s.past), 90)
}

func TestFaceRegionStaysInside(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, v := range []float32{-1e30, -5, 0, 3, 639, 641, 1e30, nan, inf, -inf} {
		for _, w := range []float32{-1e30, 0, 7, 640, 1e30, nan, inf} {
			for _, size := range []int{0, 1, 640} {
				r := faceRegion(liveproof.Box{X1: v, Y1: w, X2: w, Y2: v}, size, size)
				require.True(t, r.x0 >= 0 && r.x0 < r.x1 && r.x1 <= 64 && r.y0 >= 0 && r.y0 < r.y1 && r.y1 <= 64, "%+v", r)
			}
		}
	}
}

// BenchmarkLoop is the search for one sample among a full window of a moving stream.
func BenchmarkLoop(b *testing.B) {
	l := newLoops(512)
	var t liveproof.Thumbnail
	r := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for i := range b.N {
		for j := range t {
			t[j] = uint8(60 + 40*math.Sin(float64(i)/9) + float64(r.Uint32N(4)))
		}
		c := coarsen(&t)
		l.observe(time.Duration(i)*33*time.Millisecond, &c, true)
	}
}
