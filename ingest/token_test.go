package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

const someID = liveproof.SessionID("01JD4Z5T8Q0V9X2B3C4D5E6F7G")

func forge(t testing.TB, method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
	claims := jwt.MapClaims{
		"iss": tokenIssuer, "aud": clientTokens.audience, "sub": string(someID), "jti": "x",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	if change != nil {
		change(claims)
	}
	s, err := jwt.NewWithClaims(method, claims).SignedString(key)
	require.NoError(t, err)
	return s
}

// TestTokens: unsigned, tampered with, of another issuer, session or time.
func TestTokens(t *testing.T) {
	tk := newTokens(testSecret, clientTokens, time.Now)
	good, err := tk.issue(someID, time.Now().Add(time.Minute))
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	other := strings.Replace(string(payload), string(someID), "01JD4Z5T8Q0V9X2B3C4D5E6F7H", 1)
	tampered := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(other)) + "." + parts[2]
	hs := jwt.SigningMethodHS256
	for name, x := range map[string]struct {
		raw  string
		code Code
	}{
		"missing":          {"", CodeUnauthorized},
		"garbage":          {"a.b.c", CodeTokenInvalid},
		"too long":         {strings.Repeat("x", 5000), CodeTokenInvalid},
		"unsigned":         {parts[0] + "." + parts[1] + ".", CodeTokenInvalid},
		"alg none":         {forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil), CodeTokenInvalid},
		"alg HS512":        {forge(t, jwt.SigningMethodHS512, []byte(testSecret), nil), CodeTokenInvalid},
		"another secret":   {forge(t, hs, []byte("x"), nil), CodeTokenInvalid},
		"tampered":         {tampered, CodeTokenInvalid},
		"expired":          {forge(t, hs, []byte(testSecret), func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() }), CodeTokenExpired},
		"expired, forged":  {forge(t, hs, []byte("x"), func(c jwt.MapClaims) { c["exp"] = 1 }), CodeTokenInvalid},
		"never expiring":   {forge(t, hs, []byte(testSecret), func(c jwt.MapClaims) { delete(c, "exp") }), CodeTokenInvalid},
		"no id":            {forge(t, hs, []byte(testSecret), func(c jwt.MapClaims) { delete(c, "jti") }), CodeTokenInvalid},
		"another audience": {forge(t, hs, []byte(testSecret), func(c jwt.MapClaims) { c["aud"] = "x" }), CodeTokenInvalid},
		"another issuer":   {forge(t, hs, []byte(testSecret), func(c jwt.MapClaims) { c["iss"] = "x" }), CodeTokenInvalid},
		"another session":  {forge(t, hs, []byte(testSecret), func(c jwt.MapClaims) { c["sub"] = "01JD4Z5T8Q0V9X2B3C4D5E6F7H" }), CodeTokenWrongSession},
	} {
		_, err := tk.verify(x.raw, someID)
		var p *Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, x.code, p.Code, name)
		require.Equal(t, 401, p.Status, name)
	}
	id, err := tk.verify(good, someID)
	require.NoError(t, err)
	require.Len(t, id, 26)
}

// TestConnectedToken: the connection that a token opened outlives the token, and only that.
func TestConnectedToken(t *testing.T) {
	tk := newTokens(testSecret, clientTokens, time.Now)
	old := forge(t, jwt.SigningMethodHS256, []byte(testSecret), func(c jwt.MapClaims) { c["exp"] = 1 })
	id, err := tk.verifyConnected(old, someID)
	require.NoError(t, err)
	require.Equal(t, "x", id)
	for _, raw := range []string{
		"", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		forge(t, jwt.SigningMethodHS256, []byte("x"), nil),
		forge(t, jwt.SigningMethodHS256, []byte(testSecret), func(c jwt.MapClaims) { c["aud"] = "x" }),
		forge(t, jwt.SigningMethodHS256, []byte(testSecret), func(c jwt.MapClaims) { c["sub"] = "x" }),
	} {
		_, err := tk.verifyConnected(raw, someID)
		require.Error(t, err)
	}
}

// TestTokenAtTheDoor: every refused token gives problem JSON, is counted, and leaves the
// session unchanged.
func TestTokenAtTheDoor(t *testing.T) {
	w := newWorld(t, nil)
	c, other := w.create(""), w.create("")
	whip := "/v1/sessions/" + string(c.ID) + "/whip"
	post := func(token string) reply {
		return w.call("POST", whip, goodOffer, withToken(token, "Content-Type", typeSDP)...)
	}
	w.refused(post(""), 401, CodeUnauthorized)
	w.refused(post(other.ClientToken), 401, CodeTokenWrongSession)
	w.refused(post(c.ClientToken+"x"), 401, CodeTokenInvalid)
	w.refused(post(testKey), 401, CodeTokenInvalid)
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State)
	require.Equal(t, 201, post(c.ClientToken).StatusCode)
	w.refused(post(c.ClientToken), 409, CodeTokenUsed)
	w.rtc.peer(c.ID).Close()
	before := w.terminal(c.ID)
	w.refused(post(c.ClientToken), 409, CodeTokenUsed)
	_, resp, err := w.dial(c, nil)
	require.Error(t, err)
	require.Equal(t, 409, resp.StatusCode)
	require.Equal(t, before, w.store.record(c.ID), "the old verdict is unchanged")
	w.clock.advance(3 * time.Minute)
	_, resp, err = w.dial(other, nil)
	require.Error(t, err)
	require.Equal(t, 401, resp.StatusCode, "expired")
	require.InDelta(t, 3, counted(w.server.metrics.tokens.WithLabelValues(string(CodeTokenUsed))), 0)
	require.InDelta(t, 1, counted(w.server.metrics.tokens.WithLabelValues(string(CodeTokenExpired))), 0)
}

func TestNoTokenInErrors(t *testing.T) {
	tk := newTokens(testSecret, clientTokens, time.Now)
	_, err := tk.verify("secret.secret.secret", someID)
	require.NotContains(t, err.Error(), "secret")
	require.NoError(t, errors.Unwrap(err))
}

func FuzzToken(f *testing.F) {
	tk := newTokens(testSecret, clientTokens, time.Now)
	good, _ := tk.issue(someID, time.Now().Add(time.Hour))
	f.Add(good)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := tk.verify(raw, someID); err != nil {
			return
		}
		// Whatever is accepted carries our HMAC, computed here by other means.
		dot := strings.LastIndexByte(raw, '.')
		mac := hmac.New(sha256.New, []byte(testSecret))
		mac.Write([]byte(raw[:dot]))
		require.Equal(t, base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), raw[dot+1:])
	})
}
