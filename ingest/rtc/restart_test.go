package rtc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// restart makes the client restart ICE and returns its renewed offer, with its candidates.
func (c *client) restart(t testing.TB) string {
	t.Helper()
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gathered:
	case <-time.After(patience):
		t.Fatal("client gathers no candidates")
	}
	return c.pc.LocalDescription().SDP
}

func (c *client) accept(t testing.TB, answer string) {
	t.Helper()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("%v in answer\n%s", err, answer)
	}
}

// localPort is the client's port on the selected pair, 0 without one.
func (c *client) localPort() uint16 {
	pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return 0
	}
	return pair.Local.Port
}

// line is the value of the first a= line of this key.
func line(text, key string) string {
	for l := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(l), "a="+key+":"); ok {
			return value
		}
	}
	return ""
}

// fragmentFor is what a WHIP client sends of its renewed offer.
func fragmentFor(offer string) string {
	_, candidates := splitCandidates(offer)
	return fmt.Sprintf("a=ice-ufrag:%s\r\na=ice-pwd:%s\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\na=%s\r\na=end-of-candidates\r\n",
		line(offer, "ice-ufrag"), line(offer, "ice-pwd"), line(offer, "mid"), strings.Join(candidates, "\r\na="))
}

// patched is the answer as a WHIP client makes it: the first one, with the ICE part of the fragment.
func patched(answer, fragment string) string {
	ufrag, pwd := line(answer, "ice-ufrag"), line(answer, "ice-pwd")
	answer = strings.NewReplacer(ufrag, line(fragment, "ice-ufrag"), pwd, line(fragment, "ice-pwd")).Replace(answer)
	bare, _ := splitCandidates(answer)
	_, candidates := splitCandidates(fragment)
	at := strings.Index(bare, "a=mid:")
	return bare[:at] + "a=" + strings.Join(candidates, "\r\na=") + "\r\n" + bare[at:]
}

// TestICERestart: the client goes on from other ports; the peer, its streams and
// its DTLS association are the same, and every picture is whole. Twice in a row.
func TestICERestart(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	unannounced := func(sdp string) string { // streams that pion learns from their packets
		var out strings.Builder
		for l := range strings.Lines(sdp) {
			if !strings.HasPrefix(l, "a=ssrc") {
				out.WriteString(l)
			}
		}
		return out.String()
	}
	for name, c := range map[string]struct {
		options clientOptions
		whip    bool
	}{
		"offer":                 {clientOptions{}, false},
		"fragment":              {clientOptions{}, true},
		"TCP":                   {clientOptions{network: webrtc.NetworkTypeTCP4}, false},
		"unannounced":           {clientOptions{offer: unannounced}, true},
		"with audio":            {clientOptions{shape: addAudio(t)}, true},
		"client is DTLS client": {clientOptions{offer: func(s string) string { return strings.ReplaceAll(s, "setup:actpass", "setup:active") }}, true},
	} {
		t.Run(name, func(t *testing.T) {
			api := newTestAPI(t, testConfig())
			client, p := dial(t, api, c.options)
			client.play(frames, 10*time.Millisecond)
			v := video(t, p)
			wantPictures(t, v, liveproof.CodecVP8, frames, 5)
			for session := 2; session <= 3; session++ {
				before, remote := client.localPort(), client.pc.RemoteDescription().SDP
				offer := client.restart(t)
				client.accept(t, restartWith(t, p, c.whip, offer, remote, session))
				wantAnotherPort(t, client, before)
				if p.ICESession() != session {
					t.Fatalf("ICE session %d, want %d", p.ICESession(), session)
				}
				received := p.Stats().AccessUnits
				for range 60 { // more than can be queued
					u := next(t, v)
					if !slices.ContainsFunc(frames, func(f frame) bool { return string(f.data) == string(u.Data) }) {
						t.Fatal("not a picture that was sent")
					}
				}
				if p.Stats().AccessUnits <= received {
					t.Fatalf("no media after restart %d: %+v", session-1, p.Stats())
				}
			}
			if p.Err() != nil {
				t.Fatal(p.Err())
			}
		})
	}
}

func restartWith(t *testing.T, p *Peer, whip bool, offer, remote string, session int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !whip {
		answer, err := p.Restart(ctx, offer)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	restarted, err := p.AddFragment(ctx, fragmentFor(offer), current(session-1))
	if err != nil || restarted == nil || restarted.Session != session {
		t.Fatalf("%+v, %v", restarted, err)
	}
	if line(restarted.Fragment, "ice-ufrag") == line(remote, "ice-ufrag") || !strings.Contains(restarted.Fragment, "a=candidate:") ||
		!strings.HasSuffix(restarted.Fragment, "a=end-of-candidates\r\n") || !strings.Contains(restarted.Fragment, "a=ice-options:trickle") {
		t.Fatalf("fragment %q", restarted.Fragment)
	}
	wantRepeated(t, p, fragmentFor(offer), restarted)
	return patched(remote, restarted.Fragment)
}

// wantRepeated: a client that lost the answer to its restart sends the same again, for any session or for the one that it knows, and gets
// the same answer. One that has the answer only trickles.
func wantRepeated(t *testing.T, p *Peer, fragment string, want *Restarted) {
	t.Helper()
	for _, known := range []func(int) bool{func(int) bool { return true }, current(want.Session - 1)} {
		if again, err := p.AddFragment(t.Context(), fragment, known); err != nil || again == nil || *again != *want {
			t.Fatalf("repeated: %+v, %v", again, err)
		}
	}
	if again, err := p.AddFragment(t.Context(), fragment, current(want.Session)); err != nil || again != nil {
		t.Fatalf("trickled: %+v, %v", again, err)
	}
	if _, err := p.AddFragment(t.Context(), fragment, current(want.Session-2)); !errors.Is(err, ErrOtherICESession) {
		t.Fatalf("of an older session: %v", err)
	}
	if p.ICESession() != want.Session {
		t.Fatalf("ICE session %d, want %d", p.ICESession(), want.Session)
	}
}

func wantAnotherPort(t *testing.T, c *client, before uint16) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if port := c.localPort(); port != 0 && port != before && c.pc.ICEConnectionState() == webrtc.ICEConnectionStateConnected {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the client is still at port %d of %d, %s", c.localPort(), before, c.pc.ICEConnectionState())
		}
	}
}

// addAudio sends an audio track too, whose packets are silence.
func addAudio(t *testing.T) func(*webrtc.PeerConnection) {
	return func(pc *webrtc.PeerConnection) {
		track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "camera")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.AddTrack(track); err != nil {
			t.Fatal(err)
		}
	}
}

// TestICERestartBeforeTheConnection: the network changed while ICE was still checking.
func TestICERestartBeforeTheConnection(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	c := newClient(t, clientOptions{})
	p, err := api.NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	answer, err := p.Answer(t.Context(), c.offer(t))
	if err != nil {
		t.Fatal(err)
	}
	c.accept(t, answer)
	offer := c.restart(t)
	if answer, err = p.Restart(t.Context(), offer); err != nil {
		t.Fatal(err)
	}
	c.accept(t, answer)
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 10)
}

// TestRestartCandidatesMayComeFirst: a browser's first candidates can overtake its renewed offer.
func TestRestartCandidatesMayComeFirst(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	before := c.localPort()
	bare, candidates := splitCandidates(c.restart(t))
	ufrag, stale := line(bare, "ice-ufrag"), "stale"
	for _, candidate := range candidates {
		for _, name := range []*string{&ufrag, &stale} {
			if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: candidate, UsernameFragment: name}); err != nil {
				t.Fatal(err)
			}
		}
	}
	answer, err := p.Restart(t.Context(), bare)
	if err != nil {
		t.Fatal(err)
	}
	c.accept(t, answer)
	wantAnotherPort(t, c, before)
	next(t, v)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.candidates != len(candidates) || len(p.early) != 0 {
		t.Fatalf("%d candidates of %d, %d held", p.candidates, len(candidates), len(p.early))
	}
}

// TestRestartsThatAreRefused leave ICE as it was.
func TestRestartsThatAreRefused(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	first := c.pc.LocalDescription().SDP
	renewed := func(pairs ...string) string {
		pairs = append(pairs, line(first, "ice-ufrag"), "another", line(first, "ice-pwd"), strings.Repeat("x", 24))
		return strings.NewReplacer(pairs...).Replace(first)
	}
	identity := line(first, "fingerprint")
	other := identity[:len(identity)-2] + "00"
	if other == identity {
		other = identity[:len(identity)-2] + "11"
	}
	for name, refusal := range map[string]struct {
		offer string
		want  error
	}{
		"the same again":        {first, ErrNegotiated},
		"another identity":      {renewed(identity, other), ErrNegotiated},
		"another section":       {renewed("a=mid:0", "a=mid:9", "BUNDLE 0", "BUNDLE 9"), ErrNegotiated},
		"video stopped":         {renewed("a=sendrecv", "a=inactive"), ErrNoVideo},
		"user name alone":       {strings.ReplaceAll(first, line(first, "ice-ufrag"), "another"), ErrBadSDP},
		"password alone":        {strings.ReplaceAll(first, line(first, "ice-pwd"), strings.Repeat("x", 24)), ErrBadSDP},
		"not SDP":               {"hello", ErrBadSDP},
		"without a fingerprint": {renewed("a=fingerprint", "a=finger"), ErrBadSDP},
	} {
		if _, err := p.Restart(t.Context(), refusal.offer); !errors.Is(err, refusal.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.AddFragment(t.Context(), fragmentFor(renewed()), current(7)); !errors.Is(err, ErrOtherICESession) {
		t.Errorf("another session: %v", err)
	}
	if p.ICESession() != 1 {
		t.Fatalf("ICE session %d", p.ICESession())
	}
	received := p.Stats().AccessUnits
	for range 60 {
		next(t, v)
	}
	if p.Stats().AccessUnits <= received || p.Err() != nil {
		t.Fatalf("the media stopped: %+v, %v", p.Stats(), p.Err())
	}
}

// TestTooManyRestarts: each restart may bring addresses to check, so their rate is bounded.
func TestTooManyRestarts(t *testing.T) {
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{})
	offer := c.pc.LocalDescription().SDP
	var err error
	for n := 0; n < restartBurst+2 && err == nil; n++ {
		text := strings.NewReplacer(line(offer, "ice-ufrag"), fmt.Sprintf("user%d", n), line(offer, "ice-pwd"), fmt.Sprintf("password%024d", n)).Replace(offer)
		_, err = p.Restart(t.Context(), text)
	}
	if !errors.Is(err, ErrTooManyRestarts) {
		t.Fatal(err)
	}
	if p.ICESession() <= restartBurst {
		t.Fatalf("refused at session %d", p.ICESession())
	}
}

// TestRestartThatNobodyFollows: a restart whose checks find nobody ends the peer, as lost consent does (RFC 7675, 5.1).
func TestRestartThatNobodyFollows(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	cfg := testConfig()
	cfg.DisconnectedTimeout, cfg.FailedTimeout = 500*time.Millisecond, 500*time.Millisecond
	c, p := dial(t, newTestAPI(t, cfg), clientOptions{})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	fragment := "a=ice-ufrag:nobody\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
	if restarted, err := p.AddFragment(t.Context(), fragment, current(1)); err != nil || restarted == nil {
		t.Fatal(restarted, err)
	}
	wantDone(t, p)
	if !errors.Is(p.Err(), ErrLost) {
		t.Fatal(p.Err())
	}
}

// TestAudioIsThrownAway: it is received without being read as media, and video goes on beside it.
func TestAudioIsThrownAway(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	var audio *webrtc.TrackLocalStaticSample
	shape := func(pc *webrtc.PeerConnection) {
		track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "camera")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.AddTrack(track); err != nil {
			t.Fatal(err)
		}
		audio = track
	}
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{shape: shape})
	if answer := c.pc.RemoteDescription().SDP; strings.Count(answer, "a=recvonly") != 2 {
		t.Fatalf("audio and video are not received:\n%s", answer)
	}
	c.playAudio(audio)
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 30)
	if drops := p.Stats().Dropped; drops["malformed"]+drops["unknown"] > 0 {
		t.Fatalf("audio was read as video: %v", drops)
	}
}

// TestICERestartFromTheSamePort: some clients keep their socket; only the credentials are new.
func TestICERestartFromTheSamePort(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: loggers{api.log}.NewLogger("client")})
	t.Cleanup(func() { _ = mux.Close() })
	c, p := dial(t, api, clientOptions{settings: func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) }})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	for range 2 {
		answer, err := p.Restart(t.Context(), c.restart(t))
		if err != nil {
			t.Fatal(err)
		}
		c.accept(t, answer)
		received := p.Stats().AccessUnits
		for range 60 {
			next(t, v)
		}
		if p.Stats().AccessUnits <= received {
			t.Fatalf("no media after the restart: %+v", p.Stats())
		}
	}
}
