package rtc

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// TestCloseDuringARestart: a peer that is closed while ICE restarts, while candidates and pictures come, ends at
// once and leaves nothing; whoever waits for the restart is told.
func TestCloseDuringARestart(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	for i := range 12 {
		c, p := dial(t, api, clientOptions{})
		c.play(frames, 5*time.Millisecond)
		video(t, p)
		offer := c.restart(t)
		var all sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		all.Go(func() {
			_, err := p.Restart(ctx, offer)
			if err != nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrNegotiated) { // the fragment may come first
				t.Errorf("restart: %v", err)
			}
		})
		all.Go(func() {
			for range 20 {
				_ = p.AddCandidate(webrtc.ICECandidateInit{Candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host"})
			}
		})
		all.Go(func() {
			if _, err := p.AddFragment(ctx, fragmentFor(offer), func(int) bool { return true }); err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("fragment: %v", err)
			}
		})
		time.Sleep(time.Duration(rand.IntN(2+i)) * time.Millisecond)
		began := time.Now()
		_ = p.Close()
		all.Wait()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("closed after %v", took)
		}
		cancel()
		c.close()
	}
}
