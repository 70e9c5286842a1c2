package identity

import (
	"context"
	"errors"
	"log/slog"
	"math"
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
	img := &liveproof.Image{Width: studioSide, Height: studioSide, Stride: 3 * studioSide, Pix: make([]byte, 3*studioSide*studioSide)}
	sway := 1.5 * math.Sin(float64(t)/float64(300*time.Millisecond))
	for y := range studioSide {
		for x := range studioSide {
			for c := range 3 {
				level := (1-s.with)*shade(s.person, s.room, float64(x)-sway, float64(y), c) + s.with*shade(s.other, s.other, float64(x)-sway, float64(y), c)
				if s.hidden && x > 75 && x < 120 && y > 85 {
					level = 150 - 20*float64(c)
				}
				if s.light != nil {
					level = s.light(level, c)
				}
				img.Pix[y*img.Stride+3*x+c] = uint8(max(0, min(255, level)))
			}
		}
	}
	l := placed(0.4, 0, 96-0.4*56+sway, 96-0.4*72)
	if s.turned {
		l[2].X += 15
	}
	return liveproof.View{T: t, Image: img, Face: liveproof.Face{Landmarks: l}, Track: max(1, s.track), Cut: s.cut, Reasons: s.reasons}
}

// shade is the colour of a point: of the person near the middle, else of the room.
func shade(person, room uint64, x, y float64, c int) float64 {
	id, size, low, span := room, 20., 40., 170.
	if math.Hypot(x-96, (y-99)*0.8) < 42 {
		id, size, low, span = person+1000, 7, 100, 60
	}
	fx, fy := x/size, y/size
	x0, y0 := math.Floor(fx), math.Floor(fy)
	corner := func(i, j float64) float64 {
		h := (id*31+uint64(c))*0x9E3779B97F4A7C15 ^ uint64(int64(x0+i)*4096+int64(y0+j)+1<<20)*0xD1B54A32D192ED03
		h = (h ^ h>>29) * 0xBF58476D1CE4E5B9
		return low + span*float64(h>>40)/float64(1<<24)
	}
	wx, wy := fx-x0, fy-y0
	return (corner(0, 0)*(1-wx)+corner(1, 0)*wx)*(1-wy) + (corner(0, 1)*(1-wx)+corner(1, 1)*wx)*wy
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
		"sure cut before a face too dark, then another": {says(0.1), []studio{
			{person: 2, room: 2, cut: liveproof.CutSure, reasons: []liveproof.Reason{liveproof.ReasonTooDark}}, stranger}, 1, liveproof.ReasonSceneCut},
		"likely cut, the same person":         {nil, append([]studio{cut(me, liveproof.CutLikely)}, repeated(9, me)...), never, ""},
		"likely cut to another":               {nil, append([]studio{cut(guest, liveproof.CutLikely)}, repeated(9, guest)...), 1, liveproof.ReasonSceneCut},
		"another person and scene":            {nil, repeated(10, stranger), fadeViews - 1, liveproof.ReasonSceneCut},
		"another person, same scene":          {nil, repeated(10, guest), personViews - 1, liveproof.ReasonFaceChanged},
		"another face, twice":                 {says(0.1), repeated(10, stranger), 1, liveproof.ReasonFaceChanged},
		"looks different, same face":          {says(0.9), repeated(20, guest), never, ""},
		"a hand before the face":              {nil, append(repeated(3, studio{person: 1, room: 1, hidden: true}), repeated(9, me)...), never, ""},
		"slow exchange, seen by the embedder": {func(n int) (float64, error) { return 0.1, nil }, repeated(30, me), 20, liveproof.ReasonFaceChanged},
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
	for i := range 300 { // a minute
		_, err := w.Examine(t.Context(), studio{person: 1, room: 1}.view(time.Duration(i)*period))
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
