package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func (w *world) whip(c created, more ...string) reply {
	return w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", goodOffer, withToken(c.ClientToken, append([]string{"Content-Type", typeSDP}, more...)...)...)
}

func TestWHIP(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	r := w.whip(c)
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	require.Equal(t, typeSDP, r.Header.Get("Content-Type"))
	require.Contains(t, string(r.body), "answer")
	require.Equal(t, []string{
		`<stun:stun.example.org>; rel="ice-server"`,
		`<turn:turn.example.org?transport=udp>; rel="ice-server"; username="u"; credential="p"; credential-type="password"`,
	}, r.Header.Values("Link"))
	location, etag := r.Header.Get("Location"), r.Header.Get("ETag")
	require.True(t, strings.HasPrefix(location, "/v1/sessions/"+string(c.ID)+"/whip/"))
	require.NotEmpty(t, etag)

	patch := func(body string, more ...string) reply {
		return w.call("PATCH", location, body, withToken(c.ClientToken, append([]string{"Content-Type", typeFragment}, more...)...)...)
	}
	require.Equal(t, 204, patch("a=candidate", "If-Match", etag).StatusCode)
	require.Equal(t, []string{"a=candidate"}, w.rtc.peer(c.ID).fragments)
	w.refused(patch("a=candidate"), 428, CodePreconditionRequired)
	w.refused(patch("a=candidate", "If-Match", `"other"`), 412, CodePreconditionFailed)
	w.refused(patch("a=candidate", "If-Match", "unquoted"), 400, CodeInvalidRequest)
	require.Equal(t, 204, patch("bad candidate", "If-Match", etag).StatusCode)
	w.refused(patch("ended", "If-Match", etag), 404, CodeSessionNotFound)
	w.refused(patch("too many", "If-Match", etag), 400, CodeProtocolError)
	w.refused(patch("garbage", "If-Match", etag), 400, CodeSDPInvalid)
	w.refused(w.call("PATCH", location, "x", withToken(c.ClientToken, "If-Match", etag, "Content-Type", "text/plain")...), 415, CodeUnsupportedMediaType)
	w.refused(patch(strings.Repeat("x", 65<<10), "If-Match", etag), 413, CodeBodyTooLarge)

	w.clock.advance(5 * time.Minute) // the connection outlives its token
	require.Equal(t, 204, patch("a=candidate", "If-Match", etag).StatusCode)
	require.Equal(t, 200, w.call("DELETE", location, "", withToken(c.ClientToken)...).StatusCode)
	require.Equal(t, liveproof.OutcomeInconclusive, w.terminal(c.ID).Verdict.Outcome)
	require.Equal(t, 200, w.call("DELETE", location, "", withToken(c.ClientToken)...).StatusCode)
	w.refused(patch("a=candidate", "If-Match", etag), 404, CodeSessionNotFound)
}

func TestWHIPRefusesWithoutBurningTheToken(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	path := "/v1/sessions/" + string(c.ID) + "/whip"
	w.refused(w.call("POST", path, goodOffer, withToken(c.ClientToken, "Content-Type", "application/json")...), 415, CodeUnsupportedMediaType)
	for _, offer := range []string{"", "garbage", "v=0\r\n", strings.Replace(goodOffer, "m=video", "m=audio", 1), strings.Repeat(goodOffer, 2) + strings.Repeat("m=video 9 RTP/AVP 96\r\n", 40)} {
		w.refused(w.call("POST", path, offer, withToken(c.ClientToken, "Content-Type", typeSDP)...), 400, CodeSDPInvalid)
	}
	require.Equal(t, 201, w.whip(c).StatusCode)
	w.refused(w.whip(c), 409, CodeTokenUsed)
}

func TestWHIPOfferThatThePeerRefuses(t *testing.T) {
	w := newWorld(t, nil)
	w.rtc.silent = true
	c := w.create("")
	w.refused(w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", badOffer, withToken(c.ClientToken, "Content-Type", typeSDP)...), 400, CodeSDPInvalid)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonUnsupportedMedia}, w.terminal(c.ID).Verdict.Reasons)
}

// TestWHIPResource: only the token that opened the connection reaches it.
func TestWHIPResource(t *testing.T) {
	w := newWorld(t, nil)
	c, other := w.create(""), w.create("")
	second, err := w.server.tokens.issue(c.ID, w.clock.now().Add(time.Minute))
	require.NoError(t, err)
	location := w.whip(c).Header.Get("Location")
	w.refused(w.call("DELETE", location, ""), 401, CodeUnauthorized)
	w.refused(w.call("DELETE", location, "", withToken(other.ClientToken)...), 401, CodeTokenWrongSession)
	w.refused(w.call("DELETE", location, "", withToken(second)...), 401, CodeTokenInvalid)
	w.refused(w.call("DELETE", location+"x", "", withToken(c.ClientToken)...), 404, CodeSessionNotFound)
	require.NotNil(t, w.server.live.Find(c.ID), "still connected")
}

func TestWHIPCORS(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.CORSOrigins = []string{"https://bank.example"} })
	c := w.create("")
	path := "/v1/sessions/" + string(c.ID) + "/whip"
	r := w.call("OPTIONS", path, "", "Origin", "https://bank.example", "Access-Control-Request-Method", "POST")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, typeSDP, r.Header.Get("Accept-Post"))
	require.Equal(t, "https://bank.example", r.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, r.Header.Get("Access-Control-Allow-Headers"), "Authorization")
	require.Contains(t, r.Header.Get("Access-Control-Allow-Methods"), "POST")
	r = w.whip(c, "Origin", "https://bank.example")
	require.Contains(t, r.Header.Get("Access-Control-Expose-Headers"), "Location")
	require.Contains(t, r.Header.Get("Access-Control-Expose-Headers"), "ETag")
	r = w.call("OPTIONS", path+"/x", "", "Origin", "https://evil.example")
	require.Empty(t, r.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, typeFragment, r.Header.Get("Accept-Patch"))
	require.Empty(t, w.call("GET", "/v1/sessions/x", "", withKey("Origin", "https://bank.example")...).Header.Get("Access-Control-Allow-Origin"),
		"API keys do not belong in browsers")
}
