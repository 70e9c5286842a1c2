package ingest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/live/admission"
	"github.com/liveproof/liveproof/internal/cpu"
)

// cold has measured nothing yet: on one core it takes one session, until it knows what that costs.
func cold(_ *Config, d *Deps, _ *fakeStore) {
	d.Capacity = &live.Capacity{
		CPU:        func() (cpu.Reading, error) { return cpu.Reading{Cores: 1}, nil },
		Scorer:     func() float64 { return 0 },
		SampleRate: 5,
	}
}

// full checks a refusal: the code, and when to try again.
func (w *world) full(r reply) {
	w.t.Helper()
	w.refused(r, 503, CodeOverloaded)
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	require.NoError(w.t, err)
	require.GreaterOrEqual(w.t, seconds, 1)
	require.LessOrEqual(w.t, seconds, 30)
}

func TestFullServerSaysWhenToTryAgain(t *testing.T) {
	w := newWorld(t, cold)
	a := w.create("")
	for range 20 {
		w.full(w.call("POST", "/v1/sessions", "", withKey()...))
	}
	require.Equal(t, 1, w.store.created(), "a refused session leaves nothing in the store")
	w.mustDial(a)
	w.full(w.call("POST", "/v1/sessions", "", withKey()...))
	r := w.call("GET", "/readyz", "")
	require.Equal(t, 200, r.StatusCode, "a full server is ready: nobody must restart it")
	w.rtc.peer(a.ID).Close()
	w.terminal(a.ID)
	require.Eventually(t, func() bool { return w.server.live.Count() == 0 }, time.Minute, time.Millisecond)
	w.create("")
}

// TestConnectionWithoutABookedPlace: another server has created the session.
func TestConnectionWithoutABookedPlace(t *testing.T) {
	w := newWorld(t, cold)
	elsewhere := w.create("")
	w.server.live.Unbook(elsewhere.ID)
	a := w.create("")
	w.mustDial(a)
	w.full(w.whip(elsewhere))
	_, resp, err := w.dial(elsewhere, nil)
	require.Error(t, err)
	require.Equal(t, 503, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	require.Equal(t, liveproof.StateCreated, w.read(elsewhere.ID).State, "the refusal burns nothing")
	w.rtc.peer(a.ID).Close()
	w.terminal(a.ID)
	require.Eventually(t, func() bool { return w.server.live.Count() == 0 }, time.Minute, time.Millisecond)
	w.create("") // books the only place; who is here goes before it
	w.mustDial(elsewhere)
}

// TestNoPlaceIsLost: whatever keeps a session from being created gives its place back.
func TestNoPlaceIsLost(t *testing.T) {
	refuse := error(nil)
	w := newWorld(t, func(c *Config, d *Deps, f *fakeStore) {
		cold(c, d, f)
		d.Admit = func() error { return refuse }
	})
	refuse = liveproof.ErrOverloaded
	w.full(w.call("POST", "/v1/sessions", "", withKey()...))
	refuse = liveproof.ErrUnavailable
	w.refused(w.call("POST", "/v1/sessions", "", withKey()...), 503, CodeScorerUnavailable)
	refuse = nil
	w.store.setDown(true)
	w.refused(w.call("POST", "/v1/sessions", "", withKey()...), 503, CodeStoreUnavailable)
	w.store.setDown(false)
	require.Equal(t, 201, w.call("POST", "/v1/sessions", "", withKey("Idempotency-Key", "one")...).StatusCode)
}

func TestRefusalsAreTranslated(t *testing.T) {
	p := problemOf(fmt.Errorf("connect: %w", &live.Refusal{Reason: admission.CPU, RetryAfter: 17e9}))
	require.Equal(t, CodeOverloaded, p.Code)
	require.Equal(t, "17", p.retryAfter())
	require.NotContains(t, p.Detail, "cpu", "what is scarce is for the operator")
}
