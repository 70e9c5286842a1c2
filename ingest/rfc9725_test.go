package ingest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
)

// The tests of this file go through RFC 9725 (WHIP); each name has the section that it is of.

// publishing is a WHIP session that a client has opened.
type publishing struct {
	w              *world
	c              created
	endpoint       string
	location, etag string
}

func (w *world) publishing() *publishing {
	w.t.Helper()
	p := &publishing{w: w, c: w.create("")}
	p.endpoint = "/v1/sessions/" + string(p.c.ID) + "/whip"
	r := w.whip(p.c)
	require.Equal(w.t, 201, r.StatusCode, "%s", r.body)
	p.location, p.etag = r.Header.Get("Location"), r.Header.Get("ETag")
	return p
}

func (p *publishing) patch(body string, headers ...string) reply {
	p.w.t.Helper()
	return p.w.call("PATCH", p.location, body, withToken(p.c.ClientToken, append([]string{"Content-Type", typeFragment}, headers...)...)...)
}

// offering posts an offer for a new session.
func (w *world) offering(offer string, headers ...string) reply {
	w.t.Helper()
	c := w.create("")
	if len(headers) == 0 {
		headers = []string{"Content-Type", typeSDP}
	}
	return w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", offer, withToken(c.ClientToken, headers...)...)
}

func TestRFC9725_4_1_GetAndHeadHaveNoContent(t *testing.T) {
	w := newWorld(t, nil)
	p := w.publishing()
	for _, path := range []string{p.endpoint, p.location, "/v1/sessions/unknown/whip", p.location + "x"} {
		for _, method := range []string{"GET", "HEAD"} {
			for _, headers := range [][]string{nil, withToken(p.c.ClientToken)} {
				r := w.call(method, path, "", headers...)
				require.Equal(t, 204, r.StatusCode, "%s %s", method, path)
				require.Empty(t, r.body)
			}
		}
	}
}

func TestRFC9725_4_1_OtherMethodsAreNotAllowed(t *testing.T) {
	w := newWorld(t, nil)
	p := w.publishing()
	for path, c := range map[string]struct {
		methods []string
		allow   string
	}{
		p.endpoint: {[]string{"PUT", "PATCH", "DELETE"}, "GET, HEAD, OPTIONS, POST"},
		p.location: {[]string{"PUT", "POST"}, "DELETE, GET, HEAD, OPTIONS, PATCH"},
	} {
		for _, method := range c.methods {
			r := w.call(method, path, "", withToken(p.c.ClientToken)...)
			require.Equal(t, 405, r.StatusCode, "%s %s", method, path)
			require.Equal(t, c.allow, r.Header.Get("Allow"))
		}
	}
}

// TestRFC9725_4_1_ProblemsAreDocuments: RFC 9457, as the section suggests.
func TestRFC9725_4_1_ProblemsAreDocuments(t *testing.T) {
	w := newWorld(t, nil)
	w.refused(w.offering("garbage"), 400, CodeSDPInvalid)
}

func TestRFC9725_4_2_Created(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	r := w.whip(c)
	require.Equal(t, 201, r.StatusCode)
	require.Equal(t, typeSDP, r.Header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(r.Header.Get("Location"), "/v1/sessions/"+string(c.ID)+"/whip/"))
	require.Regexp(t, `^"[^"]+"$`, r.Header.Get("ETag"), "a strong entity tag")
	require.Equal(t, typeFragment, r.Header.Get("Accept-Patch"))
}

func TestRFC9725_4_2_ContentType(t *testing.T) {
	w := newWorld(t, nil)
	for _, good := range []string{"application/sdp", "application/sdp; charset=utf-8", "APPLICATION/SDP", "Application/Sdp;charset=UTF-8"} {
		require.Equal(t, 201, w.offering(goodOffer, "Content-Type", good).StatusCode, good)
	}
	for _, bad := range []string{"application/json", "text/plain", "", "application/sdpx", "application/trickle-ice-sdpfrag"} {
		r := w.offering(goodOffer, "Content-Type", bad)
		w.refused(r, 415, CodeUnsupportedMediaType)
		require.Equal(t, typeSDP, r.Header.Get("Accept"))
		require.Equal(t, typeSDP, r.Header.Get("Accept-Post"))
	}
}

func TestRFC9725_4_2_Directions(t *testing.T) {
	w := realWorld(t)
	for direction, want := range map[string]int{"sendonly": 201, "sendrecv": 201, "recvonly": 400, "inactive": 400} {
		r := w.offering(strings.Replace(goodOffer, "a=sendonly", "a="+direction, 1))
		require.Equal(t, want, r.StatusCode, "%s: %s", direction, r.body)
		if want == 201 {
			require.Contains(t, string(r.body), "a=recvonly\r\n")
			require.NotContains(t, string(r.body), "a=sendrecv")
		}
	}
}

func TestRFC9725_4_2_Options(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.CORSOrigins = []string{"https://bank.example"} })
	p := w.publishing()
	for path, allow := range map[string]string{p.endpoint: "GET, HEAD, OPTIONS, POST", p.location: "DELETE, GET, HEAD, OPTIONS, PATCH"} {
		r := w.call("OPTIONS", path, "", "Origin", "https://bank.example", "Access-Control-Request-Method", "POST")
		require.Equal(t, 200, r.StatusCode)
		require.Empty(t, r.body)
		require.Equal(t, typeSDP, r.Header.Get("Accept-Post"))
		require.Equal(t, allow, r.Header.Get("Allow"))
		require.Equal(t, allow, r.Header.Get("Access-Control-Allow-Methods"))
		require.Equal(t, "https://bank.example", r.Header.Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, typeFragment, w.call("OPTIONS", p.location, "").Header.Get("Accept-Patch"))
}

// TestRFC9725_4_2_DeleteEnds: also when the verdict has ended the session before.
func TestRFC9725_4_2_DeleteEnds(t *testing.T) {
	w := newWorld(t, judging(deciding(verdict(liveproof.OutcomeLive))))
	p := w.publishing()
	remove := func(location, token string) reply { return w.call("DELETE", location, "", withToken(token)...) }
	w.rtc.peer(p.c.ID).units <- liveproof.AccessUnit{}
	require.Equal(t, liveproof.OutcomeLive, w.terminal(p.c.ID).Verdict.Outcome)
	for range 2 {
		require.Equal(t, 200, remove(p.location, p.c.ClientToken).StatusCode)
	}
	require.Equal(t, liveproof.OutcomeLive, w.store.record(p.c.ID).Verdict.Outcome, "a late DELETE changes nothing")
	other := w.create("")
	w.refused(remove(p.location, other.ClientToken), 401, CodeTokenWrongSession)
	w.refused(remove("/v1/sessions/"+string(other.ID)+"/whip/x", other.ClientToken), 404, CodeSessionNotFound)
	require.Equal(t, liveproof.StateCreated, w.read(other.ID).State)
	w.store.setDown(true)
	w.refused(remove(p.location, p.c.ClientToken), 503, CodeStoreUnavailable)
	w.store.setDown(false)
	require.Equal(t, 204, w.call("DELETE", "/v1/sessions/"+string(p.c.ID), "", withKey()...).StatusCode)
	w.refused(remove(p.location, p.c.ClientToken), 404, CodeSessionNotFound)
}

func TestRFC9725_4_3_1_ContentTypeOfPatch(t *testing.T) {
	w := newWorld(t, nil)
	p := w.publishing()
	for _, good := range []string{typeFragment, "Application/Trickle-ICE-SDPfrag", typeFragment + "; charset=utf-8"} {
		r := w.call("PATCH", p.location, "a=x", withToken(p.c.ClientToken, "Content-Type", good, "If-Match", p.etag)...)
		require.Equal(t, 204, r.StatusCode, good)
	}
	r := w.call("PATCH", p.location, "a=x", withToken(p.c.ClientToken, "Content-Type", typeSDP, "If-Match", p.etag)...)
	w.refused(r, 415, CodeUnsupportedMediaType)
	require.Equal(t, typeFragment, r.Header.Get("Accept-Patch"))
	require.Equal(t, typeFragment, r.Header.Get("Accept"))
}

// TestRFC9725_4_3_1_IfMatch: strong comparison, lists and stars of RFC 9110, section 13.1.1.
func TestRFC9725_4_3_1_IfMatch(t *testing.T) {
	w := newWorld(t, nil)
	p := w.publishing()
	for match, want := range map[string]int{
		p.etag:                         204,
		" " + p.etag + " ":             204,
		`"other", ` + p.etag:           204,
		`"other",` + p.etag + `,W/"x"`: 204,
		"," + p.etag + ",":             204,
		`"a,b", ` + p.etag:             204,
		"*":                            204,
		`"*"`:                          204,
		`"other"`:                      412,
		`"other", "another"`:           412,
		"W/" + p.etag:                  412,
		`W/"other", W/` + p.etag:       412,
		`""`:                           412,
		strings.ToLower(p.etag):        412,
		"":                             428,
		strings.Trim(p.etag, `"`):      400,
		`"open`:                        400,
		p.etag + " " + p.etag:          400,
		`w/` + p.etag:                  400,
		p.etag + `x`:                   400,
		"*" + p.etag:                   400,
	} {
		require.Equal(t, want, p.patch("a=candidate", "If-Match", match).StatusCode, "If-Match: %s", match)
	}
	r := p.patch("a=candidate", "If-Match", `"other"`, "If-Match", p.etag)
	require.Equal(t, 204, r.StatusCode, "two lines are one list")
	w.refused(p.patch("a=candidate"), 428, CodePreconditionRequired)
	w.refused(p.patch("a=candidate", "If-Match", `"x"`), 412, CodePreconditionFailed)
	w.refused(p.patch("a=candidate", "If-Match", "x"), 400, CodeInvalidRequest)
}

// TestRFC9725_4_3_1_DeleteIgnoresEntityTags, as the section wants it.
func TestRFC9725_4_3_1_DeleteIgnoresEntityTags(t *testing.T) {
	p := newWorld(t, nil).publishing()
	r := p.w.call("DELETE", p.location, "", withToken(p.c.ClientToken, "If-Match", `"another"`)...)
	require.Equal(t, 200, r.StatusCode)
}

func TestRFC9725_4_3_2_TrickleAnswersWithoutETag(t *testing.T) {
	p := newWorld(t, nil).publishing()
	r := p.patch("a=candidate", "If-Match", p.etag)
	require.Equal(t, 204, r.StatusCode)
	require.Empty(t, r.body)
	require.NotContains(t, r.Header, "Etag")
	require.Equal(t, 204, p.patch("bad candidate", "If-Match", p.etag).StatusCode, "discarded silently")
	require.Equal(t, 204, p.patch("a=end-of-candidates", "If-Match", p.etag).StatusCode)
}

// TestRFC9725_4_3_2_AnswerHasEveryCandidate, and says that candidates may be trickled (RFC 8838, section 4).
func TestRFC9725_4_3_2_AnswerHasEveryCandidate(t *testing.T) {
	answer := string(realWorld(t).offering(goodOffer).body)
	require.Contains(t, answer, "a=candidate:")
	require.Contains(t, answer, "a=end-of-candidates\r\n")
	require.Contains(t, answer, "a=ice-options:trickle\r\n")
}

func TestRFC9725_4_3_3_RestartHasANewETag(t *testing.T) {
	p := newWorld(t, nil).publishing()
	r := p.patch("restart", "If-Match", "*")
	require.Equal(t, 200, r.StatusCode, "%s", r.body)
	require.Equal(t, typeFragment, r.Header.Get("Content-Type"))
	etag := r.Header.Get("ETag")
	require.Regexp(t, `^"[^"]+"$`, etag)
	require.NotEqual(t, p.etag, etag)
	p.w.refused(p.patch("a=candidate", "If-Match", p.etag), 412, CodePreconditionFailed) // of the session that is over
	require.Equal(t, 204, p.patch("a=candidate", "If-Match", etag).StatusCode)
	again := p.patch("restart", "If-Match", etag) // the tag of the current one is as good as a star
	require.Equal(t, 200, again.StatusCode)
	require.NotEqual(t, etag, again.Header.Get("ETag"))
}

// TestRFC9725_4_3_3_RefusedRestartKeepsTheSession, and says when to try again.
func TestRFC9725_4_3_3_RefusedRestartKeepsTheSession(t *testing.T) {
	p := newWorld(t, nil).publishing()
	r := p.patch("restarts", "If-Match", "*")
	p.w.refused(r, 429, CodeRateLimited)
	require.Equal(t, "5", r.Header.Get("Retry-After"))
	require.Equal(t, 204, p.patch("a=candidate", "If-Match", p.etag).StatusCode)
	require.NotNil(t, p.w.server.live.Find(p.c.ID))
}

// stepping counts complete pictures and decides live when told, however long the call.
func stepping(seen chan<- struct{}) analysis {
	return func(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
		for {
			u, err := units.Next(ctx)
			if err != nil {
				ended(observe, liveproof.Judged(verdict(liveproof.OutcomeLive), liveproof.FrameCounts{Received: 1}))
				return nil //nolint:nilerr // the end of the media is when it judges
			}
			if len(u.Data) > 0 {
				select {
				case seen <- struct{}{}:
				default:
				}
			}
		}
	}
}

// restartingWorld is realWorld whose analyzer follows the stream to its end.
func restartingWorld(t *testing.T) (*world, chan struct{}) {
	t.Helper()
	seen := make(chan struct{})
	w := realWorldWith(t, stepping(seen))
	return w, seen
}

// wantMedia wants n pictures that come from now on.
func wantMedia(t *testing.T, seen <-chan struct{}, n int) {
	t.Helper()
	for range n {
		select {
		case <-seen:
		case <-time.After(wait):
			t.Fatal("no media")
		}
	}
}

// renew makes the camera restart ICE from another port.
func (c *camera) renew() (offer string, candidates []string) {
	o, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	require.NoError(c.t, err)
	return c.local(o)
}

func (c *camera) port() uint16 {
	pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return 0
	}
	return pair.Local.Port
}

// moved waits until ICE goes on from another port than before.
func (c *camera) moved(before uint16) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { p := c.port(); return p != 0 && p != before }, wait, 5*time.Millisecond)
}

func attribute(sdp, key string) string {
	for l := range strings.Lines(sdp) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(l), "a="+key+":"); ok {
			return v
		}
	}
	return ""
}

// TestRFC9725_4_3_3_MediaGoesOnAfterARestart: a real client moves to another port
// by PATCH; the session, its connection and its evidence are the same.
func TestRFC9725_4_3_3_MediaGoesOnAfterARestart(t *testing.T) {
	w, seen := restartingWorld(t)
	cam := newCamera(t)
	bare, candidates := cam.offer()
	c := w.create("")
	r := w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", bare, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	answer := string(r.body)
	cam.answer(answer)
	p := &publishing{w: w, c: c, location: r.Header.Get("Location"), etag: r.Header.Get("ETag")}
	body := func(offer string, candidates []string) string {
		return "a=ice-ufrag:" + attribute(offer, "ice-ufrag") + "\r\na=ice-pwd:" + attribute(offer, "ice-pwd") +
			"\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=" + strings.Join(candidates, "\r\na=") + "\r\na=end-of-candidates\r\n"
	}
	require.Equal(t, 204, p.patch(body(bare, candidates), "If-Match", p.etag).StatusCode)
	wantMedia(t, seen, 5)
	connection := w.server.live.Find(c.ID)
	for range 2 {
		before := cam.port()
		offer, candidates := cam.renew()
		r = p.patch(body(offer, candidates), "If-Match", "*")
		require.Equal(t, 200, r.StatusCode, "%s", r.body)
		fragment := string(r.body)
		require.NotEqual(t, attribute(answer, "ice-ufrag"), attribute(fragment, "ice-ufrag"))
		require.Contains(t, fragment, "a=candidate:")
		require.NotEqual(t, p.etag, r.Header.Get("ETag"))
		answer = strings.NewReplacer(attribute(answer, "ice-ufrag"), attribute(fragment, "ice-ufrag"),
			attribute(answer, "ice-pwd"), attribute(fragment, "ice-pwd")).Replace(answer)
		p.etag = r.Header.Get("ETag")
		cam.answer(answer)
		cam.moved(before)
		wantMedia(t, seen, 20)
	}
	require.Same(t, connection, w.server.live.Find(c.ID))
	require.Equal(t, 200, w.call("DELETE", p.location, "", withToken(c.ClientToken)...).StatusCode)
	require.Equal(t, liveproof.OutcomeLive, w.terminal(c.ID).Verdict.Outcome, "evidence from before and after the restart is one session's")
}

// TestSignallingRestartsICE is the same over the WebSocket, by a renewed offer.
func TestSignallingRestartsICE(t *testing.T) {
	w, seen := restartingWorld(t)
	cam := newCamera(t)
	cam.offer()
	c := w.create("")
	ws := w.mustDial(c)
	require.NoError(t, ws.WriteJSON(offerMessage(cam.pc.LocalDescription().SDP)))
	answer, _ := w.await(ws, "answer")
	cam.answer(answer["sdp"].(string))
	wantMedia(t, seen, 5)
	before := cam.port()
	offer, candidates := cam.renew()
	ufrag, mid, line := attribute(offer, "ice-ufrag"), "0", uint16(0)
	for _, candidate := range candidates { // before the offer, as a browser may do it
		init := webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid, SDPMLineIndex: &line, UsernameFragment: &ufrag}
		require.NoError(t, ws.WriteJSON(message{"type": "candidate", "candidate": init}))
	}
	require.NoError(t, ws.WriteJSON(offerMessage(offer)))
	answer, _ = w.await(ws, "answer")
	cam.answer(answer["sdp"].(string))
	cam.moved(before)
	wantMedia(t, seen, 20)
	require.NoError(t, ws.WriteJSON(offerMessage(strings.Replace(cam.pc.LocalDescription().SDP, "a=mid:0", "a=mid:7", 1))))
	refused, _ := w.await(ws, "error")
	require.Equal(t, string(CodeProtocolError), refused["code"])
	require.Equal(t, liveproof.OutcomeLive, w.terminal(c.ID).Verdict.Outcome)
}

func TestRFC9725_4_4_1_MultiplexedRTCPOnly(t *testing.T) {
	answer := string(realWorld(t).offering(goodOffer).body)
	require.Contains(t, answer, "a=rtcp-mux\r\n")
	require.Contains(t, answer, "a=rtcp-mux-only\r\n")
}

const audioSection = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"

func withBundle(offer, mids string) string {
	return strings.Replace(offer, "t=0 0\r\n", "t=0 0\r\na=group:BUNDLE "+mids+"\r\n", 1)
}

func TestRFC9725_4_4_1_Bundle(t *testing.T) {
	w := realWorld(t)
	require.Equal(t, 201, w.offering(goodOffer).StatusCode, "one section needs no group")
	r := w.offering(withBundle(goodOffer+audioSection, "0 1"))
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	require.Contains(t, string(r.body), "a=group:BUNDLE 0 1")
	r = w.offering(goodOffer + audioSection)
	w.refused(r, 400, CodeSDPInvalid)
	require.Contains(t, string(r.body), "a=group:BUNDLE 0 1")
}

func TestRFC9725_4_4_2_OneTrackOfAKind(t *testing.T) {
	w := newWorld(t, nil)
	second := strings.Replace(videoOffer[strings.Index(videoOffer, "m=video"):], "a=mid:0", "a=mid:1", 1)
	r := w.offering(withBundle(goodOffer+second, "0 1"))
	w.refused(r, 422, CodeTooManyTracks)
	require.Contains(t, string(r.body), "2 video tracks are sent")
	w.refused(w.offering(withBundle(goodOffer+audioSection+strings.Replace(audioSection, "mid:1", "mid:2", 1), "0 1 2")), 422, CodeTooManyTracks)
	idle := strings.Replace(second, "sendonly", "inactive", 1)
	require.Equal(t, 201, w.offering(withBundle(goodOffer+idle, "0 1")).StatusCode, "a second section that sends nothing is no track")
}

// TestRFC9725_4_4_3_AudioIsNotRejected: it is received, and thrown away.
func TestRFC9725_4_4_3_AudioIsNotRejected(t *testing.T) {
	r := realWorld(t).offering(withBundle(goodOffer+audioSection, "0 1"))
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	require.Equal(t, 2, strings.Count(string(r.body), "a=recvonly\r\n"), "%s", r.body)
	require.NotContains(t, string(r.body), "m=audio 0 ")
}

// TestRFC9725_4_4_3_NoCodecInCommon: the whole offer is refused, and the token can be used again.
func TestRFC9725_4_4_3_NoCodecInCommon(t *testing.T) {
	w := realWorld(t)
	c := w.create("")
	post := func(offer string) reply {
		return w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", offer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	}
	r := post(strings.Replace(goodOffer, "VP8", "H265", 1))
	w.refused(r, 400, CodeSDPInvalid)
	require.Contains(t, string(r.body), "offered: H265; accepted: VP8, H264, VP9, AV1")
	require.Equal(t, 201, post(goodOffer).StatusCode)
}

func TestRFC9725_4_4_4_SetupRoles(t *testing.T) {
	w := realWorld(t)
	for offered, answered := range map[string]string{"actpass": "active", "active": "passive", "passive": "active"} {
		r := w.offering(strings.Replace(goodOffer, "setup:actpass", "setup:"+offered, 1))
		require.Equal(t, 201, r.StatusCode, "%s: %s", offered, r.body)
		require.Contains(t, string(r.body), "a=setup:"+answered)
	}
	w.refused(w.offering(strings.Replace(goodOffer, "setup:actpass", "setup:holdconn", 1)), 400, CodeSDPInvalid)
}

// TestRFC9725_4_5_NothingIsRedirected: a client may not follow a 301 with a POST.
func TestRFC9725_4_5_NothingIsRedirected(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	for _, path := range []string{"//v1/sessions/" + string(c.ID) + "/whip", "/v1/sessions/" + string(c.ID) + "/whip/", "/v1//sessions/" + string(c.ID) + "/whip"} {
		r := w.call("POST", path, goodOffer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
		require.Contains(t, []int{404, 405, 307, 308}, r.StatusCode, path)
	}
}

func TestRFC9725_4_5_BusyServerSaysWhenToTryAgain(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Session.MaxSessions = live.Limit(1) })
	c := w.create("")
	w.publishing()
	r := w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", goodOffer, withToken(c.ClientToken, "Content-Type", typeSDP)...)
	w.refused(r, 503, CodeOverloaded)
	require.Regexp(t, `^[0-9]+$`, r.Header.Get("Retry-After"))
}

var iceLinks = []string{
	`<stun:stun.example.org>; rel="ice-server"`,
	`<turn:turn.example.org?transport=udp>; rel="ice-server"; username="u"; credential="p"; credential-type="password"`,
}

// TestRFC9725_4_6_ICEServers: with the 201, and with OPTIONS for a client that shows its token, never for a preflight.
func TestRFC9725_4_6_ICEServers(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	endpoint := "/v1/sessions/" + string(c.ID) + "/whip"
	require.Equal(t, iceLinks, w.call("OPTIONS", endpoint, "", withToken(c.ClientToken)...).Header.Values("Link"))
	require.Equal(t, iceLinks, w.whip(c).Header.Values("Link"))
	for _, headers := range [][]string{nil, withToken("forged"), withToken(w.create("").ClientToken), {"Access-Control-Request-Method", "POST"}} {
		require.Empty(t, w.call("OPTIONS", endpoint, "", headers...).Header.Values("Link"))
	}
}

func TestRFC9725_4_7_1_Bearer(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	endpoint := "/v1/sessions/" + string(c.ID) + "/whip"
	for _, authorization := range []string{"", "Basic dTpw", "Bearer", "Bearer x"} {
		r := w.call("POST", endpoint, goodOffer, "Content-Type", typeSDP, "Authorization", authorization)
		require.Equal(t, http.StatusUnauthorized, r.StatusCode)
		require.Contains(t, r.Header.Get("WWW-Authenticate"), "Bearer")
	}
	r := w.call("POST", endpoint, goodOffer, "Content-Type", typeSDP, "Authorization", "bearer "+c.ClientToken)
	require.Equal(t, 201, r.StatusCode, "the scheme's case does not matter (RFC 9110, section 11.1)")
}

// TestRFC9725_4_2_PagesElsewhereSeeTheHeaders that a WHIP client in a browser needs.
func TestRFC9725_4_2_PagesElsewhereSeeTheHeaders(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.CORSOrigins = []string{"https://bank.example"} })
	r := w.whip(w.create(""), "Origin", "https://bank.example")
	for _, header := range []string{"Location", "ETag", "Link", "Retry-After", "Accept-Patch"} {
		require.Contains(t, r.Header.Get("Access-Control-Expose-Headers"), header)
	}
}

func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, "*", `"*"`, `,,"a",`, `"`, `W/`, "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		m, err := parseIfMatch([]string{field})
		if err != nil {
			return
		}
		for _, tag := range m.tags {
			if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' || !m.matches(tag) || !strings.Contains(field, tag) {
				t.Fatalf("%q gives %q", field, tag)
			}
		}
	})
}
