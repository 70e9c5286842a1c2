package identity

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// besides is a watcher of a live stream; cosine answers the embedder's comparisons.
func besides(cosine func(context.Context) (float64, error)) *Watcher {
	i, err := Open(DefaultConfig(), nil, nil, NewMetrics(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	return i.watchWith(false, cosine)
}

// slow answers each comparison after a time.
func slow(after time.Duration, cosine func() float64) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		select {
		case <-time.After(after):
			return cosine(), nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// watched is what a watcher found of one view, and when the last part of it was told.
type watched struct {
	reasons []liveproof.Reason
	open    bool // Finding.Unsettled of the rest
	later   *liveproof.Later
	at      time.Duration // since the view
}

// play shows views at their pace, after ten of one person, and collects what was found of them within three seconds.
func play(ctx context.Context, t *testing.T, w *Watcher, views ...studio) (found []watched) {
	t.Helper()
	me := studio{person: 1, room: 1}
	for i, s := range append(repeated(10, me), views...) {
		begun := time.Now()
		f, err := w.Examine(ctx, s.view(time.Duration(i)*period))
		require.NoError(t, err)
		require.Zero(t, time.Since(begun), "nobody waits")
		if i < 10 {
			require.Empty(t, f.Reasons)
			require.Nil(t, f.Later)
		} else {
			found = append(found, watched{reasons: f.Reasons, later: f.Later})
		}
		note(found, time.Duration(i-9)*period)
		time.Sleep(period)
	}
	for n := range 15 {
		note(found, time.Duration(len(found)+n+1)*period)
		time.Sleep(period)
	}
	return found
}

// note enters what has been told by now.
func note(found []watched, now time.Duration) {
	synctest.Wait()
	for i := range found {
		f := &found[i]
		if f.later == nil {
			continue
		}
		if rest, told := f.later.Finding(); told {
			f.reasons, f.open, f.later, f.at = append(f.reasons, rest.Reasons...), rest.Unsettled, nil, now-time.Duration(i+1)*period
		}
	}
}

func reasonsOf(found []watched) (all [][]liveproof.Reason) {
	for _, f := range found {
		all = append(all, f.reasons)
	}
	return all
}

// TestBesideFindsTheSame: with an embedder that answers before the next view comes, a live stream's watcher finds in each view what that of
// a file does.
func TestBesideFindsTheSame(t *testing.T) {
	stranger, guest := studio{person: 2, room: 2}, studio{person: 2, room: 1}
	cut := stranger
	cut.cut = liveproof.CutSure
	for name, c := range map[string]struct {
		cosine float64
		views  []studio
	}{
		"the same person":   {0.9, repeated(17, studio{person: 1, room: 1})},
		"sure cut":          {0.5, append([]studio{cut}, repeated(3, stranger)...)},
		"sure cut, same":    {0.9, append([]studio{cut}, repeated(3, stranger)...)},
		"another":           {0.1, repeated(4, stranger)},
		"another, not sure": {0.5, repeated(6, stranger)},
		"looks different":   {0.9, repeated(8, guest)},
	} {
		t.Run(name, func(t *testing.T) {
			want := show(t, watching(says(c.cosine)), c.views...)
			synctest.Test(t, func(t *testing.T) {
				w := besides(slow(period/4, func() float64 { return c.cosine }))
				require.Equal(t, want, reasonsOf(play(t.Context(), t, w, c.views...)))
				require.NoError(t, w.Close())
			})
		})
	}
}

// TestBlockedEmbedder: views go on while the embedder hangs, one question is in flight, and each view's finding is told in the end, in order, and
// by the rule for an embedder that fails.
func TestBlockedEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inFlight, most := 0, 0
		w := besides(func(ctx context.Context) (float64, error) {
			inFlight++
			most = max(most, inFlight)
			<-ctx.Done()
			inFlight--
			return 0, ctx.Err()
		})
		cut := studio{person: 2, room: 2, cut: liveproof.CutSure}
		found := play(t.Context(), t, w, append([]studio{cut}, repeated(5, studio{person: 2, room: 2})...)...)
		require.Equal(t, 1, most)
		for i, f := range found {
			require.Nil(t, f.later, "view %d is never told", i)
			require.LessOrEqual(t, f.at, 2*DefaultConfig().Timeout+period)
			require.Equal(t, i == 0, len(f.reasons) > 0, "view %d", i)
		}
		require.Equal(t, []liveproof.Reason{liveproof.ReasonSceneCut}, found[0].reasons)
		require.NoError(t, w.Close())
	})
}

// TestNewestFaceWins: of the views that came while the embedder was at work, it is asked about the newest, and the others count in the
// series.
func TestNewestFaceWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := besides(slow(2*period+period/2, func() float64 { asked++; return 0.5 }))
		found := play(t.Context(), t, w, repeated(fadeViews, studio{person: 2, room: 2})...)
		require.Equal(t, 3, asked, "the first view, the newest of the two that waited for its answer, and the one after them")
		var at []int
		for i, f := range found {
			if len(f.reasons) > 0 {
				at = append(at, i)
			}
		}
		require.Equal(t, []int{fadeViews - 1}, at)
		require.NoError(t, w.Close())
	})
}

// TestNotAskedIsUnsettled: while the embedder was at work on one view, another person came; nothing may be decided on the views in the place of
// which a newer one is asked about.
func TestNotAskedIsUnsettled(t *testing.T) {
	stranger := studio{person: 2, room: 2}
	cut := stranger
	cut.cut = liveproof.CutSure
	for name, next := range map[string]studio{"a sure cut": cut, "another look": stranger} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := []float64{0.9, 0.1}
				w := besides(slow(2*period+period/2, func() float64 { v := answers[0]; answers = answers[min(1, len(answers)-1):]; return v }))
				// The first is asked about because of its cut, and is the same person.
				found := play(t.Context(), t, w, studio{person: 1, room: 1, cut: liveproof.CutSure}, next, stranger)
				require.Empty(t, found[0].reasons)
				require.True(t, found[1].open)
				require.NoError(t, w.Close())
			})
		})
	}
}

// TestBacklogIsBounded: what does not fit is given up, and its cut counts with the next view.
func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, err := Open(DefaultConfig(), nil, nil, NewMetrics(nil), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		i.cfg.Timeout = time.Minute
		answers := 0
		w := i.watchWith(false, slow(time.Duration(backlogSize+5)*period, func() float64 { answers++; return []float64{0.9, 0.1}[min(1, answers-1)] }))
		cut := studio{person: 2, room: 2, cut: liveproof.CutSure}
		views := append([]studio{{person: 2, room: 2}, cut}, repeated(backlogSize+2, studio{person: 2, room: 2})...)
		found := play(t.Context(), t, w, views...)
		require.Empty(t, reasonsOf(found)[1], "it was given up")
		require.True(t, found[1].open)
		require.NoError(t, w.Close())
		restarted := 0
		for _, f := range found {
			if f.later != nil {
				rest, told := f.later.Finding()
				require.True(t, told)
				f.reasons = append(f.reasons, rest.Reasons...)
			}
			restarted += len(f.reasons)
		}
		require.Equal(t, 1, restarted)
	})
}

// TestSessionEndsWhileItAsks: whoever still waits is told that the person has changed, and nothing runs after Close.
func TestSessionEndsWhileItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besides(slow(time.Hour, func() float64 { return 0.9 }))
		ctx, cancel := context.WithCancel(t.Context())
		begin(t, w)
		cut := studio{person: 1, room: 1, cut: liveproof.CutSure}
		first, err := w.Examine(ctx, cut.view(10*period))
		require.NoError(t, err)
		second, err := w.Examine(ctx, studio{person: 1, room: 1}.view(11*period))
		require.NoError(t, err)
		cancel()
		require.NoError(t, w.Close())
		for _, f := range []liveproof.Finding{first, second} {
			rest, told := f.Later.Finding()
			require.True(t, told)
			require.Equal(t, []liveproof.Reason{liveproof.ReasonFaceChanged}, rest.Reasons)
		}
		require.NoError(t, w.Close())
	})
}

// TestPanicBeside does not end the process, and never passes.
func TestPanicBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besides(func(context.Context) (float64, error) { panic("embedder") })
		begin(t, w)
		f, err := w.Examine(t.Context(), studio{person: 1, room: 1, cut: liveproof.CutSure}.view(10*period))
		require.NoError(t, err)
		synctest.Wait()
		rest, told := f.Later.Finding()
		require.True(t, told)
		require.Equal(t, []liveproof.Reason{liveproof.ReasonFaceChanged}, rest.Reasons)
		_, err = w.Examine(t.Context(), studio{person: 1, room: 1}.view(11*period))
		require.ErrorIs(t, err, ErrPanic)
	})
}

// TestBrokenEmbedderBeside: an error is an answer.
func TestBrokenEmbedderBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besides(func(context.Context) (float64, error) { return 0, errors.New("broken") })
		views := append([]studio{{person: 2, room: 2, cut: liveproof.CutSure}}, repeated(3, studio{person: 2, room: 2})...)
		found := play(t.Context(), t, w, views...)
		require.Equal(t, [][]liveproof.Reason{{liveproof.ReasonSceneCut}, nil, nil, nil}, reasonsOf(found))
		require.Zero(t, found[0].at)
	})
}

// begin gives a watcher ten views of one person.
func begin(t *testing.T, w *Watcher) {
	t.Helper()
	for i := range 10 {
		_, err := w.Examine(t.Context(), studio{person: 1, room: 1}.view(time.Duration(i)*period))
		require.NoError(t, err)
	}
}
