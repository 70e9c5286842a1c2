package pipeline

import (
	"math"
	"time"

	"github.com/liveproof/liveproof"
)

// Limits that distinguish another scene from motion in the same one, by the correlation
// of two pictures' luma, which a change of exposure or gain does not alter. They rest on
// measurements in docs/adr/0011-attention.md.
const (
	// cutWhole: in a cut, the whole picture's correlation is at most 1 - cutWhole.
	cutWhole = 0.1
	// cutPatches: or at least this share of patches has a correlation below ½.
	cutPatches = 0.12
	// sureWhole and surePatches are the same limits for what is no motion: the smallest change in a cut to another person is 0.23, or
	// 0.27 of the patches, and the largest in motion is 0.14, or 0.19, at 30 pictures a second. docs/adr/0014-identity.md has more cuts.
	sureWhole, surePatches = 0.19, 0.23
	// standsOut: at 15 pictures a second motion reaches 0.23, or 0.16 of the patches, but grows from one picture to the next. A cut to
	// another person is at least this many times the change before it, or this many times the limits.
	standsOut, beyondMotion = 3, 2
	// unlikeWhole: a picture is unlike the last sample if their correlation is at most
	// 1 - unlikeWhole. A person who sits and talks stays above it for a second.
	unlikeWhole = 0.2

	// patchSide is the side of a patch in cells of a coarse picture.
	patchSide = 4
	// grain is the variance of noise, in levels².
	grain = 4
	// longGap is how many sampling periods may pass without a picture.
	longGap = 2
)

// scenes compares every picture with the one before and with the last sample.
type scenes struct {
	begun, marked bool // whether last and sampled hold a picture
	t             time.Duration
	last, sampled coarse
	changed       difference // of the two newest pictures
	cuts          cuts
}

// cuts counts the cuts of a stream.
type cuts struct{ likely, sure int64 }

// since is the surest of the cuts that are counted here and were not yet counted before.
func (c cuts) since(before cuts) liveproof.Cut {
	switch {
	case c.sure > before.sure:
		return liveproof.CutSure
	case c.likely > before.likely:
		return liveproof.CutLikely
	}
	return liveproof.CutNone
}

// add counts the change d, which came after the change before.
func (c *cuts) add(d, before difference) {
	switch {
	case d.exceeds(sureWhole, surePatches, before):
		c.sure++
	case d.exceeds(cutWhole, cutPatches, before):
		c.likely++
	}
}

// observe takes the next picture, of stream time t. why is "" unless another scene may have
// begun.
func (s *scenes) observe(t time.Duration, cells *coarse, period time.Duration) (why cause) {
	if s.begun {
		d := compare(&s.last, cells)
		s.cuts.add(d, s.changed)
		s.changed = d
		switch {
		case d.cut():
			why = causeCut
		case t-s.t > longGap*period:
			why = causeGap
		}
	}
	s.begun, s.t, s.last = true, t, *cells
	return why
}

// unlike reports whether the newest picture differs from the last sample.
func (s *scenes) unlike() bool { return s.marked && compare(&s.sampled, &s.last).whole >= unlikeWhole }

// markSampled notes that the newest picture was sampled.
func (s *scenes) markSampled() { s.marked, s.sampled = true, s.last }

// difference of two pictures; both values are 0 for the same picture at any exposure.
type difference struct {
	whole   float64 // 1 - correlation of the whole picture, [0, 2]
	patches float64 // share of patches whose correlation is below ½, [0, 1]
}

func (d difference) cut() bool { return d.whole >= cutWhole || d.patches >= cutPatches }

// exceeds reports whether the change reaches a limit and stands out from the change before it.
func (d difference) exceeds(whole, patches float64, before difference) bool {
	least := func(limit, before, most float64) float64 { return max(limit, min(standsOut*before, beyondMotion*most)) }
	return d.whole >= least(whole, before.whole, sureWhole) || d.patches >= least(patches, before.patches, surePatches)
}

func compare(a, b *coarse) difference {
	const side = loopSide / patchSide
	var whole moments
	broken := 0
	for y := range side {
		for x := range side {
			var patch moments
			patch.add(a, b, x*patchSide, y*patchSide)
			if patch.correlation() < 0.5 {
				broken++
			}
			whole.merge(patch)
		}
	}
	return difference{whole: 1 - whole.correlation(), patches: float64(broken) / (side * side)}
}

// moments are sums over the cells of two pictures.
type moments struct{ n, a, b, aa, bb, ab int }

// add adds the cells of the patch whose first cell is x, y.
func (m *moments) add(a, b *coarse, x, y int) {
	for row := y * loopSide; row < (y+patchSide)*loopSide; row += loopSide {
		ps, qs := (*[patchSide]uint8)(a[row+x:]), (*[patchSide]uint8)(b[row+x:])
		for i := range patchSide {
			p, q := int(ps[i]), int(qs[i])
			m.a, m.b, m.aa, m.bb, m.ab = m.a+p, m.b+q, m.aa+p*p, m.bb+q*q, m.ab+p*q
		}
	}
	m.n += patchSide * patchSide
}

func (m *moments) merge(o moments) {
	m.n, m.a, m.b, m.aa, m.bb, m.ab = m.n+o.n, m.a+o.a, m.b+o.b, m.aa+o.aa, m.bb+o.bb, m.ab+o.ab
}

// correlation is in [-1, 1]; two plain surfaces have 1, whatever their brightness.
func (m *moments) correlation() float64 {
	n := float64(m.n)
	cov := func(pq, p, q int) float64 { return (float64(pq) - float64(p)*float64(q)/n) / n }
	return (cov(m.ab, m.a, m.b) + grain) / math.Sqrt((cov(m.aa, m.a, m.a)+grain)*(cov(m.bb, m.b, m.b)+grain))
}
