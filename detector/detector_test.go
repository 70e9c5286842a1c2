package detector

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
)

// fakeFinder returns the next of its results at each call.
type fakeFinder struct {
	results [][]liveproof.Face
	err     error
	closed  int
}

func (f *fakeFinder) find(ctx context.Context, _ *liveproof.Image) ([]liveproof.Face, error) {
	if f.err != nil {
		return nil, f.err
	}
	r := f.results[0]
	f.results = f.results[1:]
	return r, ctx.Err()
}

func (f *fakeFinder) close() error { f.closed++; return nil }

func TestStreamCountsPersons(t *testing.T) {
	sure := func(f liveproof.Face, c float32) liveproof.Face { f.Confidence = c; return f }
	tests := []struct {
		name    string
		faces   []liveproof.Face
		want    int // faces that count
		primary int
	}{
		{"none", nil, 0, -1},
		{"one", []liveproof.Face{at(100, 100, 100)}, 1, 0},
		{"two persons", []liveproof.Face{at(100, 100, 100), at(300, 100, 90)}, 2, 0},
		{"two persons, larger second", []liveproof.Face{at(100, 100, 80), at(300, 100, 90)}, 2, 1},
		{"a poster behind", []liveproof.Face{at(100, 100, 100), at(300, 100, 49)}, 1, 0},
		{"just large enough", []liveproof.Face{at(100, 100, 100), at(300, 100, 50)}, 2, 0},
		{"poster first", []liveproof.Face{at(300, 100, 40), at(100, 100, 100)}, 1, 0},
		{"a face on a shirt", []liveproof.Face{at(100, 100, 100), sure(at(100, 250, 150), 0.85)}, 1, 0},
		{"tiny", []liveproof.Face{at(100, 100, 20)}, 0, -1},
		{"outside", []liveproof.Face{at(-200, 100, 100)}, 0, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDetector(DefaultConfig(), "fake", &fakeFinder{results: [][]liveproof.Face{tt.faces}}, NewMetrics(nil))
			got := detect(t, d.NewStream(), grey(640, 480, 128))
			if len(got.Faces) != tt.want || got.Primary != tt.primary || (got.Track > 0) != (tt.want > 0) {
				t.Errorf("%+v, want %d faces, primary %d", got, tt.want, tt.primary)
			}
		})
	}
}

// Each session has a track of its own.
func TestStreamsAreIndependent(t *testing.T) {
	d := newDetector(DefaultConfig(), "fake", &fakeFinder{results: [][]liveproof.Face{
		{at(100, 100, 100)}, {at(400, 100, 100)}, {at(100, 100, 100)},
	}}, NewMetrics(nil))
	a, b, img := d.NewStream(), d.NewStream(), pattern(1)
	if got := detect(t, a, img); got.Track != 1 {
		t.Errorf("first stream: %+v", got)
	}
	if got := detect(t, b, img); got.Track != 1 {
		t.Errorf("second stream: %+v", got)
	}
	if got := detect(t, a, img); got.Track != 1 {
		t.Errorf("first stream's face counts as changed: %+v", got)
	}
}

func TestStreamErrors(t *testing.T) {
	broken := errors.New("broken")
	d := newDetector(DefaultConfig(), "fake", &fakeFinder{err: broken}, NewMetrics(nil))
	short := liveproof.NewImage(640, 480)
	short.Pix = short.Pix[:len(short.Pix)-1]
	for _, tt := range []struct {
		img  *liveproof.Image
		want error
	}{
		{nil, ErrImage},
		{&liveproof.Image{}, ErrImage},
		{&liveproof.Image{Width: -1, Height: 5, Stride: 3}, ErrImage},
		{&liveproof.Image{Width: math.MaxInt32, Height: 1, Stride: 3}, ErrImage},
		{short, ErrImage},
		{liveproof.NewImage(640, 480), broken},
	} {
		got, err := d.NewStream().Detect(context.Background(), tt.img, 0, false)
		if !errors.Is(err, tt.want) || got.Primary != -1 || len(got.Faces) != 0 {
			t.Errorf("%v, %v; want %v and no face", got, err, tt.want)
		}
	}
}

func TestCloseIsIdempotent(t *testing.T) {
	f := &fakeFinder{}
	d := newDetector(DefaultConfig(), "fake", f, NewMetrics(nil))
	for range 3 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if f.closed != 1 {
		t.Errorf("closed %d times", f.closed)
	}
}

// fakeWorker fails the test when two goroutines use it at once, or one uses it
// after closing.
type fakeWorker struct {
	mu     sync.Mutex
	closed bool
}

func (w *fakeWorker) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return nil
}

func TestPoolLendsToOneAtATime(t *testing.T) {
	p, err := newPool(2, func() (*fakeWorker, error) { return new(fakeWorker), nil })
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				w, err := p.acquire(context.Background())
				if errors.Is(err, ErrClosed) {
					return
				}
				if !w.mu.TryLock() {
					t.Error("lent to two at once")
				}
				if w.closed {
					t.Error("lent after closing")
				}
				w.mu.Unlock()
				p.release(w)
			}
		})
	}
	time.Sleep(time.Millisecond) // so that Close meets some of them
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	group.Wait()
}

func TestPoolWaitsWithinTheContext(t *testing.T) {
	p, err := newPool(1, func() (*fakeWorker, error) { return new(fakeWorker), nil })
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	p.release(w)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.acquire(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

func TestPoolClosesWhatItMade(t *testing.T) {
	var made []*fakeWorker
	broken := errors.New("broken")
	_, err := newPool(3, func() (*fakeWorker, error) {
		if len(made) == 2 {
			return nil, broken
		}
		made = append(made, new(fakeWorker))
		return made[len(made)-1], nil
	})
	if !errors.Is(err, broken) || !made[0].closed || !made[1].closed {
		t.Errorf("error %v, closed %v %v", err, made[0].closed, made[1].closed)
	}
}
