package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/stretchr/testify/require"
)

// timedClip is VP8 at 30 frames a second whose frames are sent at any time with any timestamp.
type timedClip struct{ frames [][]byte }

const (
	frameTime  = time.Second / 30
	frameTicks = 90000 / 30
)

func readTimedClip(t *testing.T, path string) (c timedClip) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	reader, _, err := ivfreader.NewWith(bytes.NewReader(raw))
	require.NoError(t, err)
	for {
		frame, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return c
		}
		require.NoError(t, err)
		c.frames = append(c.frames, frame)
	}
}

// timing is when a frame is sent, which is taken at a time after the first, and by how much its timestamp is moved.
type timing struct {
	due  func(taken time.Duration) time.Duration
	jump func(taken time.Duration) (ticks uint32)
}

// send sends the clip until it or ctx ends.
func (c timedClip) send(ctx context.Context, track *webrtc.TrackLocalStaticRTP, how timing) {
	payloader := codecs.VP8Payloader{}
	begun, sequence := time.Now(), uint16(0)
	for i, frame := range c.frames {
		taken := time.Duration(i) * frameTime
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(begun.Add(how.due(taken)))):
		}
		parts := payloader.Payload(1100, frame)
		for n, part := range parts {
			header := rtp.Header{Version: 2, SequenceNumber: sequence, Marker: n == len(parts)-1, Timestamp: uint32(i*frameTicks) + how.jump(taken)}
			sequence++
			_ = track.WriteRTP(&rtp.Packet{Header: header, Payload: part})
		}
	}
}

// publishTimed connects over WHIP and sends the clip until the test or stop ends.
func (s *server) publishTimed(made createdSession, clip timedClip, how timing) (stop func()) {
	s.t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	require.NoError(s.t, err)
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "timed")
	require.NoError(s.t, err)
	_, err = pc.AddTrack(track)
	require.NoError(s.t, err)
	connected := make(chan struct{})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	s.negotiate(made, pc)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-connected:
			clip.send(ctx, track, how)
		case <-ctx.Done():
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		_ = pc.Close()
	})
	s.t.Cleanup(stop)
	return stop
}

// TestTimingOfPublishers: how a publisher times its pictures does not change a person's verdict, unless it runs ahead.
func TestTimingOfPublishers(t *testing.T) {
	clip := readTimedClip(t, encodeIVF(t, personArgs(t, "person_A_640x480.mjpeg", "30")...))
	s := startServer(t)
	asTaken := func(taken time.Duration) time.Duration { return taken }
	never := func(time.Duration) uint32 { return 0 }
	after := func(from time.Duration, ticks uint32) func(time.Duration) uint32 {
		return func(taken time.Duration) uint32 {
			if taken < from {
				return 0
			}
			return ticks
		}
	}
	const hour = 3600 * 90000
	judged := func(t *testing.T, how timing, deadline string) sessionView {
		t.Helper()
		made := s.create(`{"mode":"onboarding","deadline_s":` + deadline + `}`)
		begun := time.Now()
		stop := s.publishTimed(made, clip, how)
		v := s.await(made.ID, "a terminal state", sessionView.terminal)
		stop()
		t.Logf("%.1f s: %s %.2f %v %+v", time.Since(begun).Seconds(), v.Verdict, v.Score, v.Reasons, v.Frames)
		return v
	}
	want := judged(t, timing{asTaken, never}, "20")
	require.NotEqual(t, "inconclusive", want.Verdict)
	for name, tt := range map[string]struct {
		how     timing
		dropped int // at most
	}{
		"burst of 1.2 s at the start": {timing{func(taken time.Duration) time.Duration { return max(0, taken-1200*time.Millisecond) }, never}, 10},
		"stall of 2 s, then all at once": {timing{func(taken time.Duration) time.Duration {
			if taken > time.Second && taken < 3*time.Second {
				return 3 * time.Second
			}
			return taken
		}, never}, 10},
		"clock 0.5 % fast":           {timing{func(taken time.Duration) time.Duration { return taken * 200 / 201 }, never}, 10},
		"an hour forward after 1 s":  {timing{asTaken, after(time.Second, hour)}, 80},
		"an hour backward after 1 s": {timing{asTaken, after(time.Second, 1<<32-hour)}, 80},
		"half the range after 1 s":   {timing{asTaken, after(time.Second, 1<<31)}, 80},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time is the film's own
			v := judged(t, tt.how, "20")
			require.Equal(t, want.Verdict, v.Verdict)
			require.NotContains(t, v.Reasons, "injection_timing")
			require.LessOrEqual(t, v.Frames.Dropped, tt.dropped)
		})
	}
	for name, speed := range map[string]float64{"ten times as fast": 10, "twice as fast": 2, "1.3 times as fast": 1.3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, timing{func(taken time.Duration) time.Duration { return time.Duration(float64(taken) / speed) }, never}, "8")
			require.Equal(t, "inconclusive", v.Verdict)
			require.NotEmpty(t, v.Reasons)
			if speed < 10 { // at ten times the speed the clip is over before a second sample is due
				require.Contains(t, v.Reasons, "injection_timing")
			}
		})
	}
}
