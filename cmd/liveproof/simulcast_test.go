package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/stretchr/testify/require"
)

// layerSizes of a simulcast sender, by rid.
var layerSizes = []struct{ rid, size string }{{"q", "320:240"}, {"h", "640:480"}, {"f", "960:720"}}

// encodeLayers makes the three layers of one camera, with a key frame every half second. view is
// what FFmpeg does with the recording first.
func encodeLayers(t *testing.T, view string) (layers [3][][]byte) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	dir := t.TempDir()
	args := []string{"-v", "error", "-f", "mjpeg", "-r", "30", "-i", shared(t, "media/person_A_640x480.mjpeg")}
	for _, l := range layerSizes {
		args = append(args, "-t", "9", "-vf", view+",scale="+l.size, "-an", "-c:v", "libvpx", "-b:v", "1M", "-g", "15",
			"-auto-alt-ref", "0", "-deadline", "realtime", "-cpu-used", "8", filepath.Join(dir, l.rid+".ivf"))
	}
	out, err := exec.Command("ffmpeg", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for i, l := range layerSizes {
		file, err := os.Open(filepath.Join(dir, l.rid+".ivf"))
		require.NoError(t, err)
		defer file.Close()
		reader, _, err := ivfreader.NewWith(file)
		require.NoError(t, err)
		for {
			data, _, err := reader.ParseNextFrame()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			layers[i] = append(layers[i], data)
		}
	}
	return layers
}

// publishLayers sends simulcast over WHIP, as a browser with three sendEncodings does.
func (s *server) publishLayers(made createdSession, layers [3][][]byte) {
	s.t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	s.t.Cleanup(func() {
		cancel()
		wg.Wait()
		_ = pc.GracefulClose()
	})
	var tracks [3]*webrtc.TrackLocalStaticSample
	var sender *webrtc.RTPSender
	for i, l := range layerSizes {
		tracks[i], err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "camera", webrtc.WithRTPStreamID(l.rid))
		require.NoError(s.t, err)
		if i == 0 {
			sender, err = pc.AddTrack(tracks[i])
		} else {
			err = sender.AddEncoding(tracks[i])
		}
		require.NoError(s.t, err)
	}
	connected := make(chan struct{})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	s.negotiate(made, pc)
	<-connected
	for i := range tracks {
		wg.Go(func() {
			tick := time.NewTicker(time.Second / 30)
			defer tick.Stop()
			for _, frame := range layers[i] {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				_ = tracks[i].WriteSample(media.Sample{Data: frame, Duration: time.Second / 30})
			}
		})
	}
}

// TestSimulcastPersonIsLive: three layers of one person; the middle one is large enough to be judged.
func TestSimulcastPersonIsLive(t *testing.T) {
	t.Parallel()
	layers := encodeLayers(t, "null")
	s := startServer(t)
	made := s.create(`{"mode":"onboarding"}`)
	s.publishLayers(made, layers)
	v := s.await(made.ID, "a terminal state", sessionView.terminal)
	t.Logf("%+v", v)
	require.Equal(t, "decided", v.State)
	require.Equal(t, "live", v.Verdict)
}

// TestSimulcastOfASmallFace: the face is too small in the layer that is used first, so a larger one is taken.
func TestSimulcastOfASmallFace(t *testing.T) {
	t.Parallel()
	layers := encodeLayers(t, "scale=340:254,pad=960:720:310:232:gray")
	s := startServer(t)
	made := s.create(`{"mode":"onboarding"}`)
	s.publishLayers(made, layers)
	v := s.await(made.ID, "a terminal state", sessionView.terminal)
	t.Logf("%+v", v)
	require.Positive(t, v.Frames.Scored)
	require.Equal(t, 1.0, s.metric(`liveproof_webrtc_layer_switches_total{reason="larger"}`))
}

// TestSimulcastOfferWithDeclaredSSRCs: three layers, announced by rid and by SSRC.
func TestSimulcastOfferWithDeclaredSSRCs(t *testing.T) {
	offer, err := os.ReadFile(shared(t, "inputs/simulcast_ssrc_offer.sdp"))
	require.NoError(t, err)
	t.Setenv("LIVEPROOF_SESSION_CONNECT_TIMEOUT", "1s") // nobody connects
	s := startServer(t)
	status, answer := s.postOffer(s.create(`{"mode":"onboarding"}`), string(offer))
	require.Equal(t, http.StatusCreated, status, answer)
	require.Contains(t, answer, "a=simulcast:recv q;h;f")
}
