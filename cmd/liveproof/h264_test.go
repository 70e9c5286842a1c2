package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	payloaders "github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// accessUnits cuts an Annex B stream: a unit ends with its slices, before any other NAL unit and before a first slice.
func accessUnits(t *testing.T, path string) (units [][]byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	sliced := true
	for _, nal := range bytes.Split(data, []byte{0, 0, 1})[1:] {
		nal = bytes.TrimRight(nal, "\x00")
		slice := nal[0]&0x1f == 1 || nal[0]&0x1f == 5
		if sliced && (!slice || nal[1]&0x80 != 0) {
			units = append(units, nil)
		}
		sliced = slice
		last := &units[len(units)-1]
		*last = append(append(*last, 0, 0, 0, 1), nal...)
	}
	return units
}

// h264Publisher sends access units as they are and answers no feedback.
type h264Publisher struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticRTP
}

func (s *server) connectH264(made createdSession) *h264Publisher {
	s.t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = pc.GracefulClose() })
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000}, "video", "camera")
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
	select {
	case <-connected:
	case <-time.After(30 * time.Second):
		s.t.Fatal("no connection")
	}
	return &h264Publisher{pc: pc, track: track}
}

// send writes the units at 30 a second, but for some packets from the 46th unit on. They are not sent again either.
func (p *h264Publisher) send(ctx context.Context, units [][]byte, lost int) {
	const mtu, step = 1200, 3000
	payloader, sequence := &payloaders.H264Payloader{}, uint16(65500)
	for i, unit := range units {
		payloads := payloader.Payload(mtu, unit)
		for j, payload := range payloads {
			sequence++
			if i >= 45 && lost > 0 {
				lost--
				continue
			}
			_ = p.track.WriteRTP(&rtp.Packet{Header: rtp.Header{
				Version: 2, SequenceNumber: sequence, Timestamp: uint32(i) * step, Marker: j == len(payloads)-1,
			}, Payload: payload})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second / 30):
		}
	}
}

// judgeH264 sends the units until the session has ended.
func (s *server) judgeH264(made createdSession, units [][]byte, lost int) sessionView {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	p := s.connectH264(made)
	var sending sync.WaitGroup
	sending.Go(func() { p.send(ctx, units, lost) })
	defer sending.Wait()
	defer stop()
	return s.await(made.ID, "the end", sessionView.terminal)
}

// TestH264AsItComes: a sender that answers no key frame request is judged where its stream can be entered.
func TestH264AsItComes(t *testing.T) {
	t.Parallel()
	seifirst, refresh := shared(t, "inputs/seifirst_g250.h264"), shared(t, "inputs/intra_refresh.h264")
	for _, c := range []struct {
		name, path string
		from       int // the access unit with which it begins
		lost       int // packets, from the 46th access unit on
	}{
		{"SEI first", seifirst, 0, 0},
		{"intra refresh", refresh, 0, 0},
		{"intra refresh, joined midway", refresh, 33, 0},
		{"intra refresh, five packets lost", refresh, 0, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t)
			made := s.create("")
			units := accessUnits(t, c.path)[c.from:]
			if c.from > 0 {
				for _, u := range units {
					require.NotEqual(t, byte(5), u[4]&0x1f, "an IDR picture")
				}
			}
			v := s.judgeH264(made, units, c.lost)
			t.Logf("%+v", v)
			require.Equal(t, "live", v.Verdict, "%v", v.Reasons)
			if c.from == 0 {
				require.Greater(t, v.Frames.Decoded, 50)
			}
		})
	}
}

// TestKeyFrameLaterThanIdle: a sender that answers no key frame request is judged from its next key frame, which comes later
// than the time after which a silent sender is idle.
func TestKeyFrameLaterThanIdle(t *testing.T) {
	t.Setenv("LIVEPROOF_SESSION_IDLE_TIMEOUT", "1s")
	group := accessUnits(t, shared(t, "inputs/seifirst_g250.h264"))
	s := startServer(t)
	for name, c := range map[string]struct {
		units [][]byte
		lost  int
	}{
		"joined within a group": {append(slices.Clone(group[1:90]), group...), 0},
		"loss within a group":   {append(slices.Clone(group[:120]), group...), 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time is the film's own
			v := s.judgeH264(s.create(""), c.units, c.lost)
			t.Logf("%+v", v)
			require.Equal(t, "live", v.Verdict, "%v", v.Reasons)
			require.GreaterOrEqual(t, v.Frames.Dropped, 70)
		})
	}
	t.Run("no key frame at all", func(t *testing.T) {
		t.Parallel()
		v := s.judgeH264(s.create(`{"deadline_s":5}`), slices.Repeat(group[1:], 2), 0)
		t.Logf("%+v", v)
		require.Equal(t, "inconclusive", v.Verdict)
		require.Contains(t, v.Reasons, "packet_loss")
		require.NotContains(t, v.Reasons, "no_media")
	})
}
