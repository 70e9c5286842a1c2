package identity

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// studio draws views of made-up people: patches of random colours in the place of a head, before a scene of random colours.
type studio struct {
	person, room uint64
	with         float64                            // share of the other person and room
	other        uint64                             // of both
	light        func(level float64, c int) float64 // nil: none
	hidden       bool                               // a hand before the face
	cut          liveproof.Cut
	track        int
	reasons      []liveproof.Reason
	turned       bool
}

const studioSide = 192

func (s studio) view(t time.Duration) liveproof.View {
	img := liveproof.NewImage(studioSide, studioSide)
	sway := 1.5 * math.Sin(float64(t)/float64(300*time.Millisecond))
	seen, others := who{s.person, s.room}.drawn(), who{s.other, s.other}.drawn()
	for y := range studioSide {
		for x := range studioSide {
			level := seen.at(float64(x)-sway, float64(y))
			if s.with > 0 {
				for c, other := range others.at(float64(x)-sway, float64(y)) {
					level[c] += s.with * (other - level[c])
				}
			}
			for c := range level {
				if s.hidden && x > 75 && x < 120 && y > 85 {
					level[c] = 150 - 20*float64(c)
				}
				if s.light != nil {
					level[c] = s.light(level[c], c)
				}
				img.Pix[y*img.Stride+3*x+c] = uint8(max(0, min(255, level[c])))
			}
		}
	}
	l := placed(0.4, 0, 96-0.4*56+sway, 96-0.4*72)
	if s.turned {
		l[2].X += 15
	}
	return liveproof.View{T: t, Image: img, Face: liveproof.Face{Landmarks: l}, Track: max(1, s.track), Cut: s.cut, Reasons: s.reasons}
}

// who is a person in a room.
type who struct{ person, room uint64 }

// drawing is what one of them looks like.
type drawing struct{ face, room *patches }

func (w who) drawn() drawing { return drawing{patchesOf(w.person + 1000), patchesOf(w.room)} }

// at is the colour of a point: of the person near the middle, else of the room.
func (d drawing) at(x, y float64) (level [3]float64) {
	from, size, low, span := d.room, 20., 40., 170.
	if dx, dy := x-96, (y-99)*0.8; dx*dx+dy*dy < 42*42 {
		from, size, low, span = d.face, 7, 100, 60
	}
	fx, fy := x/size+1, y/size+1
	x0, y0 := int(fx), int(fy)
	wx, wy := fx-float64(x0), fy-float64(y0)
	for c := range level {
		above, below := &from[c][y0], &from[c][y0+1]
		level[c] = low + span*((above[x0]*(1-wx)+above[x0+1]*wx)*(1-wy)+(below[x0]*(1-wx)+below[x0+1]*wx)*wy)
	}
	return level
}

// patches are random levels in [0, 1), one for each corner of each colour.
type patches [3][32][32]float64

var drawn sync.Map // of patches by id, because drawing is what these tests take time for

func patchesOf(id uint64) *patches {
	if p, ok := drawn.Load(id); ok {
		return p.(*patches)
	}
	p, r := new(patches), rand.New(rand.NewPCG(id, 1))
	for c := range p {
		for y := range p[c] {
			for x := range p[c][y] {
				p[c][y][x] = r.Float64()
			}
		}
	}
	drawn.Store(id, p)
	return p
}

// watching makes a watcher; cosine answers the embedder's n-th comparison, from 1. nil: there is no embedder.
func watching(cosine func(n int) (float64, error)) *Watcher {
	i, err := Open(DefaultConfig(), nil, nil, NewMetrics(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	if cosine == nil {
		return i.Watch(true)
	}
	n := 0
	return i.watchWith(true, func(context.Context) (float64, error) { n++; return cosine(n) })
}

// watchWith makes a watcher whose embedder answers comparisons by their cosine.
func (i *Identity) watchWith(waits bool, cosine func(context.Context) (float64, error)) *Watcher {
	var w *Watcher
	w = i.watcher(func(ctx context.Context, f *face) (*embedding, error) {
		if len(w.rules.models) > 0 && w.rules.models[0].face == f {
			return &embedding{1}, nil
		}
		v, err := cosine(ctx)
		return &embedding{float32(v), float32(math.Sqrt(1 - v*v))}, err
	}, waits)
	return w
}

func says(v float64) func(int) (float64, error) { return func(int) (float64, error) { return v, nil } }

// inTurn answers with one cosine after the other, again and again; NaN: it fails.
func inTurn(cosines ...float64) func(int) (float64, error) {
	return func(n int) (float64, error) {
		v := cosines[(n-1)%len(cosines)]
		if math.IsNaN(v) {
			return 0, errors.New("broken")
		}
		return v, nil
	}
}

const period = 200 * time.Millisecond

// show gives a watcher ten views of one person and then those of next, and returns the reasons of each of the latter.
func show(t *testing.T, w *Watcher, next ...studio) (reasons [][]liveproof.Reason) {
	t.Helper()
	at := time.Duration(0)
	for range 10 {
		f, err := w.Examine(t.Context(), studio{person: 1, room: 1}.view(at))
		require.NoError(t, err)
		require.Empty(t, f.Reasons)
		at += period
	}
	for _, s := range next {
		f, err := w.Examine(t.Context(), s.view(at))
		require.NoError(t, err)
		require.Empty(t, f.Given, "identity gives no evidence")
		reasons = append(reasons, f.Reasons)
		at += period
	}
	return reasons
}

func repeated(n int, s studio) (views []studio) {
	for range n {
		views = append(views, s)
	}
	return views
}

func TestWatcher(t *testing.T) {
	me := studio{person: 1, room: 1}
	cut := func(s studio, how liveproof.Cut) studio { s.cut = how; return s }
	stranger, guest := studio{person: 2, room: 2}, studio{person: 2, room: 1}
	never := -1
	blurred := func(s studio) studio { s.reasons = []liveproof.Reason{liveproof.ReasonBlurred}; return s }
	small := func(s studio) studio { s.reasons = []liveproof.Reason{liveproof.ReasonFaceTooSmall}; return s }
	turned := func(s studio) studio { s.turned = true; return s }
	later := func(v float64, n int, after float64) func(int) (float64, error) {
		return func(i int) (float64, error) {
			if i > n {
				v = after
			}
			return v, nil
		}
	}
	failing := func(int) (float64, error) { return 0, errors.New("broken") }
	for name, c := range map[string]struct {
		cosine func(int) (float64, error)
		views  []studio
		at     int // view of the first restart
		reason liveproof.Reason
	}{
		"the same person":                      {nil, repeated(20, me), never, ""},
		"sure cut, no embedder":                {nil, []studio{cut(me, liveproof.CutSure)}, 0, liveproof.ReasonSceneCut},
		"sure cut, the same face":              {says(0.9), []studio{cut(studio{person: 1, room: 3}, liveproof.CutSure)}, never, ""},
		"sure cut, not surely the same":        {says(0.5), []studio{cut(stranger, liveproof.CutSure)}, 0, liveproof.ReasonSceneCut},
		"sure cut, embedder fails":             {failing, []studio{cut(stranger, liveproof.CutSure)}, 0, liveproof.ReasonSceneCut},
		"sure cut, embedder fails, looks same": {failing, []studio{cut(me, liveproof.CutSure)}, never, ""},
		"sure cut to a turned face":            {says(0.9), []studio{{person: 2, room: 2, turned: true, cut: liveproof.CutSure}}, 0, liveproof.ReasonSceneCut},
		"sure cut to a face too dark, then another": {says(0.1), []studio{
			{person: 2, room: 2, cut: liveproof.CutSure, reasons: []liveproof.Reason{liveproof.ReasonTooDark}}, stranger}, 0, liveproof.ReasonSceneCut},
		"likely cut, the same person":            {nil, append([]studio{cut(me, liveproof.CutLikely)}, repeated(9, me)...), never, ""},
		"likely cut to another":                  {nil, append([]studio{cut(guest, liveproof.CutLikely)}, repeated(9, guest)...), 1, liveproof.ReasonSceneCut},
		"another person and scene":               {nil, repeated(10, stranger), fadeViews - 1, liveproof.ReasonSceneCut},
		"another person, same scene":             {nil, repeated(10, guest), personViews - 1, liveproof.ReasonFaceChanged},
		"another face, twice":                    {says(0.1), repeated(10, stranger), 1, liveproof.ReasonFaceChanged},
		"looks different, same face":             {says(0.9), repeated(20, guest), never, ""},
		"a hand before the face":                 {nil, append(repeated(3, studio{person: 1, room: 1, hidden: true}), repeated(9, me)...), never, ""},
		"not sure, another scene":                {says(0.5), repeated(10, stranger), fadeViews - 1, liveproof.ReasonSceneCut},
		"not sure and far, same scene":           {says(0.3), repeated(20, guest), unsureViews - 1, liveproof.ReasonFaceChanged},
		"not sure and near, same scene":          {says(0.5), repeated(40, guest), never, ""},
		"not sure for a moment":                  {says(0.3), append(repeated(unsureViews-1, guest), repeated(9, me)...), never, ""},
		"not sure, then another face twice":      {later(0.3, 2, 0.1), repeated(10, guest), 3, liveproof.ReasonFaceChanged},
		"likely cut, not sure, same scene":       {says(0.3), append([]studio{cut(guest, liveproof.CutLikely)}, repeated(20, guest)...), unsureViews - 1, liveproof.ReasonSceneCut},
		"another who is not scored":              {says(0.1), repeated(20, blurred(guest)), never, ""},
		"scored after that":                      {says(0.1), append(repeated(5, blurred(guest)), repeated(5, guest)...), 6, liveproof.ReasonFaceChanged},
		"sure cut to a face too small, another":  {says(0.1), []studio{cut(small(stranger), liveproof.CutSure)}, 0, liveproof.ReasonSceneCut},
		"sure cut to a face too small, the same": {says(0.9), append([]studio{cut(small(me), liveproof.CutSure)}, repeated(9, me)...), never, ""},
		"sure cut to a turned face not scored":   {says(0.9), append([]studio{cut(turned(blurred(stranger)), liveproof.CutSure)}, repeated(3, me)...), 0, liveproof.ReasonSceneCut},
		"two take turns":                         {says(0.3), slices.Concat(repeated(unsureViews-1, guest), []studio{me}, repeated(unsureViews-1, guest)), 13, liveproof.ReasonFaceChanged},
		"half turned for two seconds":            {says(0.1), repeated(20, turned(guest)), 9, liveproof.ReasonFaceChanged},
		"half turned for a moment":               {says(0.1), append(repeated(8, turned(me)), repeated(5, me)...), never, ""},
		"slow exchange, seen by the embedder":    {func(n int) (float64, error) { return 0.1, nil }, repeated(30, me), 20, liveproof.ReasonFaceChanged},
	} {
		t.Run(name, func(t *testing.T) {
			at, reason := never, liveproof.Reason("")
			for i, r := range show(t, watching(c.cosine), c.views...) {
				if len(r) > 0 {
					at, reason = i, r[0]
					break
				}
			}
			require.Equal(t, c.reason, reason)
			require.Equal(t, c.at, at)
		})
	}
}

// TestSeldomViewsAreBounded: where views come seldom, an embedder that is not sure is not waited for longer.
func TestSeldomViewsAreBounded(t *testing.T) {
	r := run{views: 2, latest: unsure, begun: time.Second}
	require.Empty(t, r.over(liveproof.CutNone, time.Second+unsureSpan-1))
	require.Equal(t, causePerson, r.over(liveproof.CutNone, time.Second+unsureSpan))
}

// TestCutBeforeTheFirstLook: what was scored of a turned face is not the evidence of who comes by a cut.
func TestCutBeforeTheFirstLook(t *testing.T) {
	w := watching(nil)
	for i, c := range []struct {
		studio
		restarts bool
	}{{studio: studio{person: 2, room: 2, turned: true}}, {studio: studio{person: 1, room: 1, cut: liveproof.CutSure}, restarts: true}, {studio: studio{person: 1, room: 1}}} {
		f, err := w.Examine(t.Context(), c.view(time.Duration(i)*period))
		require.NoError(t, err)
		require.Equal(t, c.restarts, len(f.Reasons) > 0, "view %d", i)
	}
}

// TestUnsettledWhileNotSure: from the first view that the embedder does not find to be the person's to the one that settles it, nothing may be
// decided; a face that is turned away settles nothing, nor does an embedder that fails then.
func TestUnsettledWhileNotSure(t *testing.T) {
	me, guest := studio{person: 1, room: 1}, studio{person: 2, room: 1}
	away := guest
	away.turned = true
	for name, c := range map[string]struct {
		cosine func(int) (float64, error)
		views  []studio
		want   []bool
	}{
		"settled by the person's own look": {says(0.3), []studio{guest, guest, away, guest, me, me}, []bool{true, true, true, true, false, false}},
		"settled by comparisons":           {says(0.5), []studio{guest, guest, guest, guest, me}, []bool{true, true, true, false, false}},
		"settled by a restart":             {says(0.3), repeated(unsureViews, guest), []bool{true, true, true, true, true, true, true, false}},
		"sure that it is the same":         {says(0.9), []studio{guest, guest, me}, []bool{false, false, false}},
		"another face, but not twice":      {inTurn(0.1, 0.3), []studio{guest, guest, guest, me}, []bool{true, true, true, false}},
		"it fails after that":              {inTurn(0.3, math.NaN(), math.NaN(), math.NaN()), []studio{guest, guest, guest, guest, me}, []bool{true, true, true, true, false}},
		"it only fails":                    {inTurn(math.NaN()), []studio{guest, guest, me}, []bool{false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			w := watching(c.cosine)
			show(t, w)
			for i, s := range c.views {
				f, err := w.Examine(t.Context(), s.view(time.Duration(10+i)*period))
				require.NoError(t, err)
				require.Equal(t, c.want[i], f.Unsettled, "view %d", i)
			}
		})
	}
}

// TestFadesAreSeen: within a second after the end of a fade, whatever its length up to a second and wherever samples fall in it.
func TestFadesAreSeen(t *testing.T) {
	for _, steps := range []int{1, 2, 3, 5} {
		var views []studio
		for i := range steps {
			views = append(views, studio{person: 1, room: 1, other: 2, with: float64(i+1) / float64(steps+1)})
		}
		views = append(views, repeated(5, studio{person: 2, room: 2})...)
		found := false
		for _, r := range show(t, watching(nil), views...) {
			found = found || len(r) > 0
		}
		require.True(t, found, "%d samples of a fade", steps)
	}
}

// TestLightIsNoOtherPerson: gain, gamma and the colour of the light leave the likeness alone.
func TestLightIsNoOtherPerson(t *testing.T) {
	for name, light := range map[string]func(level float64, c int) float64{
		"half the gain":   func(v float64, _ int) float64 { return v / 2 },
		"more brightness": func(v float64, _ int) float64 { return v*0.7 + 60 },
		"gamma 0.6":       func(v float64, _ int) float64 { return 255 * math.Pow(v/255, 0.6) },
		"gamma 1.6":       func(v float64, _ int) float64 { return 255 * math.Pow(v/255, 1.6) },
		"red light":       func(v float64, c int) float64 { return v * (1 - 0.25*float64(c)) },
		"blue light":      func(v float64, c int) float64 { return v * (0.5 + 0.25*float64(c)) },
	} {
		for i, r := range show(t, watching(nil), repeated(12, studio{person: 1, room: 1, light: light})...) {
			require.Empty(t, r, "%s, view %d", name, i)
		}
	}
}

// TestAnotherTrackBeginsAgain: the evidence restarts by the track, so that the watcher only forgets.
func TestAnotherTrackBeginsAgain(t *testing.T) {
	stranger := studio{person: 2, room: 2, track: 2, cut: liveproof.CutSure}
	after := stranger
	after.cut = liveproof.CutNone
	for _, r := range show(t, watching(says(0.1)), append([]studio{stranger}, repeated(10, after)...)...) {
		require.Empty(t, r)
	}
}

// TestEmbedderIsSpared: a session without a doubt asks it once in Config.Every, and a session that is shorter never.
func TestEmbedderIsSpared(t *testing.T) {
	runs := 0
	w := watching(func(int) (float64, error) { runs++; return 0.9, nil })
	v := studio{person: 1, room: 1}.view(0)
	for i := range 300 { // a minute
		v.T = time.Duration(i) * period
		_, err := w.Examine(t.Context(), v)
		require.NoError(t, err)
		if i < 24 {
			require.Zero(t, runs)
		}
	}
	require.InDelta(t, 11, runs, 1)
}

func BenchmarkExamine(b *testing.B) {
	w := watching(nil)
	var views []liveproof.View
	for i := range 40 {
		views = append(views, studio{person: 1, room: 1}.view(time.Duration(i)*period))
	}
	b.ReportAllocs()
	for i := range b.N {
		v := views[i%len(views)]
		v.T = time.Duration(i) * period
		if _, err := w.Examine(b.Context(), v); err != nil {
			b.Fatal(err)
		}
	}
}
