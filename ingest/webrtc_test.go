package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// enoughUnits is how many pictures the tests' analyzer wants to see.
const enoughUnits = 10

// counting decides live after enoughUnits complete access units.
func counting(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	for n := 1; n <= enoughUnits; n++ {
		u, err := units.Next(ctx)
		if err != nil {
			return err
		}
		if u.Codec != liveproof.CodecVP8 || len(u.Data) == 0 || (n == 1 && !u.Key) {
			return errors.New("not the picture that was sent")
		}
		observe(liveproof.Event{Progress: &liveproof.Progress{Scored: n, Needed: enoughUnits, Fraction: float64(n) / enoughUnits}})
	}
	ended(observe, liveproof.Judged(verdict(liveproof.OutcomeLive), liveproof.FrameCounts{Received: enoughUnits}))
	return nil
}

// realWorld is a server with real peer connections on loopback.
func realWorld(t *testing.T) *world { return realWorldWith(t, counting) }

// realWorldWith judges with the analysis.
func realWorldWith(t *testing.T, judge analysis) *world {
	t.Helper()
	cfg := rtc.DefaultConfig()
	cfg.UDPPort, cfg.TCPPort, cfg.Interfaces = 0, 0, []string{"lo"}
	api, err := rtc.New(cfg, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, api.Close()) })
	return newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		judging(judge)(c, d, s)
		d.RTC, d.Dial = api, live.Dial(api)
	})
}

// camera is a real WebRTC sender of a VP8 test picture.
type camera struct {
	t     *testing.T
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticSample
	play  context.CancelFunc
	wg    sync.WaitGroup
}

func newCamera(t *testing.T) *camera {
	t.Helper()
	frames := testPicture(t)
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine := &webrtc.MediaEngine{}
	require.NoError(t, engine.RegisterDefaultCodecs())
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	require.NoError(t, err)
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "camera")
	require.NoError(t, err)
	_, err = pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	c := &camera{t: t, pc: pc, track: track, play: cancel}
	c.wg.Go(func() { c.run(ctx, frames) })
	t.Cleanup(c.close)
	return c
}

// run sends the pictures in a loop; every loop begins with a key frame.
func (c *camera) run(ctx context.Context, frames [][]byte) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected {
			_ = c.track.WriteSample(media.Sample{Data: frames[i%len(frames)], Duration: 20 * time.Millisecond})
			i++
		}
	}
}

func (c *camera) close() {
	c.play()
	c.wg.Wait()
	require.NoError(c.t, c.pc.GracefulClose())
}

// offer returns the offer without candidates, and those by themselves.
func (c *camera) offer() (bare string, candidates []string) {
	o, err := c.pc.CreateOffer(nil)
	require.NoError(c.t, err)
	return c.local(o)
}

// local sets the offer, and returns it without candidates, and those by themselves.
func (c *camera) local(o webrtc.SessionDescription) (bare string, candidates []string) {
	gathered := webrtc.GatheringCompletePromise(c.pc)
	require.NoError(c.t, c.pc.SetLocalDescription(o))
	<-gathered
	var rest []string
	for line := range strings.Lines(c.pc.LocalDescription().SDP) {
		switch {
		case strings.HasPrefix(line, "a=candidate:"):
			candidates = append(candidates, strings.TrimPrefix(strings.TrimSpace(line), "a="))
		case !strings.HasPrefix(line, "a=end-of-candidates"):
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, ""), candidates
}

func (c *camera) answer(sdp string) {
	require.NoError(c.t, c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}))
}

// testPicture is a second of VP8, encoded by FFmpeg.
func testPicture(t *testing.T) [][]byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is missing")
	}
	raw, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=20", "-frames:v", "20",
		"-c:v", "libvpx", "-deadline", "realtime", "-g", "20", "-f", "ivf", "-").Output()
	require.NoError(t, err)
	reader, _, err := ivfreader.NewWith(bytes.NewReader(raw))
	require.NoError(t, err)
	var frames [][]byte
	for {
		frame, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return frames
		}
		require.NoError(t, err)
		frames = append(frames, frame)
	}
}

// TestWHIPWithRealPeers is the whole exchange of RFC 9725: POST, trickled
// candidates by PATCH, media, verdict, DELETE.
func TestWHIPWithRealPeers(t *testing.T) {
	w := realWorld(t)
	cam := newCamera(t)
	offer, candidates := cam.offer()
	c := w.create("")
	r := w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", offer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	require.Contains(t, string(r.body), "a=candidate:", "the answer carries the server's candidates")
	cam.answer(string(r.body))
	location, etag := r.Header.Get("Location"), r.Header.Get("ETag")
	fragment := "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=" + strings.Join(candidates, "\r\na=") + "\r\na=end-of-candidates\r\n"
	patched := w.call("PATCH", location, fragment, withToken(c.ClientToken, "Content-Type", typeFragment, "If-Match", etag)...)
	require.Equal(t, 204, patched.StatusCode)
	s := w.terminal(c.ID)
	require.Equal(t, liveproof.OutcomeLive, s.Verdict.Outcome, "%v", s.Verdict.Reasons)
	require.Equal(t, 200, w.call("DELETE", location, "", withToken(c.ClientToken)...).StatusCode)
}

// TestWHIPDeleteWithRealPeers: the client ends before there is a verdict.
func TestWHIPDeleteWithRealPeers(t *testing.T) {
	w := realWorld(t)
	cam := newCamera(t)
	offer, _ := cam.offer()
	c := w.create("")
	r := w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", offer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	require.Equal(t, 200, w.call("DELETE", r.Header.Get("Location"), "", withToken(c.ClientToken)...).StatusCode)
	s := w.terminal(c.ID)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonDisconnected}, s.Verdict.Reasons)
	require.Equal(t, liveproof.StateExpired, s.State)
}

// TestSignallingWithRealPeers: offer, answer, trickle, media, result.
func TestSignallingWithRealPeers(t *testing.T) {
	w := realWorld(t)
	cam := newCamera(t)
	offer, candidates := cam.offer()
	c := w.create("")
	ws := w.mustDial(c)
	require.NoError(t, ws.WriteJSON(offerMessage(offer)))
	mid, line := "0", uint16(0)
	for _, cand := range candidates {
		require.NoError(t, ws.WriteJSON(message{"type": "candidate", "candidate": webrtc.ICECandidateInit{Candidate: cand, SDPMid: &mid, SDPMLineIndex: &line}}))
	}
	require.NoError(t, ws.WriteJSON(message{"type": "candidate", "candidate": nil}))
	answer, _ := w.await(ws, "answer")
	cam.answer(answer["sdp"].(string))
	state, _ := w.await(ws, "state")
	require.Equal(t, "streaming", state["state"])
	decided, _ := w.await(ws, "decided")
	require.Equal(t, "pass", decided["result"])
	require.Equal(t, liveproof.OutcomeLive, w.terminal(c.ID).Verdict.Outcome)
}

// TestHostileOffersWithRealPeers: refused, and the next session is unaffected. What
// the offer itself shows burns nothing; what only the peer finds ends the session.
func TestHostileOffersWithRealPeers(t *testing.T) {
	w := realWorld(t)
	c := w.create("")
	broken := strings.Replace(goodOffer, "a=sendonly", "a=sendonly\r\na=extmap:x urn:3gpp:video-orientation", 1)
	w.refused(w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", broken, withToken(c.ClientToken, "Content-Type", typeSDP)...), 400, CodeSDPInvalid)
	require.Equal(t, liveproof.OutcomeInconclusive, w.terminal(c.ID).Verdict.Outcome)
	c = w.create("")
	for _, offer := range []string{
		strings.ReplaceAll(goodOffer, "a=fingerprint", "a=finger"),
		strings.Replace(goodOffer, "VP8", "THEORA", 1),
	} {
		r := w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", offer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
		w.refused(r, 400, CodeSDPInvalid)
	}
	rejected := "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 0\r\na=mid:0\r\n"
	r := w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", rejected, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	w.refused(r, 400, CodeSDPInvalid)
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State, "sends no video: burns nothing")
	cam := newCamera(t)
	offer, _ := cam.offer()
	r = w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", offer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	require.Equal(t, 201, r.StatusCode)
}
