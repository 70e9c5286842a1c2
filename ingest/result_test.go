package ingest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// fakeResults signs with a word.
type fakeResults struct{}

func (fakeResults) Sign(s liveproof.Session) (string, error) {
	return "signed." + string(s.ID) + "." + string(s.Verdict.Outcome.Result()), nil
}

func (fakeResults) Keys() ([]byte, error) {
	return json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "OKP", "crv": "Ed25519", "x": "11qY", "kid": "k", "alg": "EdDSA", "use": "sig"},
	}})
}

func signing(c *Config, d *Deps, _ *fakeStore) {
	d.Results = fakeResults{}
	c.CORSOrigins = []string{"https://bank.example"}
}

// TestResult: the backend and the page of a session that has ended get its result, and nobody else does.
func TestResult(t *testing.T) {
	w := newWorld(t, signing)
	c, other := w.create(`{"mode":"call"}`), w.create("")
	path := "/v1/sessions/" + string(c.ID) + "/result"
	w.refused(w.call("GET", path, "", withKey()...), 409, CodeSessionRunning)
	w.refused(w.call("GET", path, "", withToken(c.ClientToken)...), 409, CodeSessionRunning)

	ended := liveproof.Ending{State: liveproof.StateDecided, Verdict: verdict(liveproof.OutcomeLive)}
	_, err := w.store.Decide(t.Context(), c.ID, ended)
	require.NoError(t, err)
	w.clock.advance(time.Hour)
	for name, headers := range map[string][]string{"backend": withKey(), "page, with a token too old to connect": withToken(c.ClientToken)} {
		r := w.call("GET", path, "", headers...)
		require.Equal(t, 200, r.StatusCode, name)
		require.Equal(t, "application/jwt", r.Header.Get("Content-Type"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.Equal(t, "signed."+string(c.ID)+".pass", string(r.body))
	}

	w.refused(w.call("GET", path, ""), 401, CodeUnauthorized)
	w.refused(w.call("GET", path, "", withToken("x.y.z")...), 401, CodeTokenInvalid)
	w.refused(w.call("GET", path, "", withToken(other.ClientToken)...), 401, CodeTokenWrongSession)
	w.refused(w.call("GET", path, "", withToken(otherKey)...), 404, CodeSessionNotFound)
	w.refused(w.call("GET", "/v1/sessions/x/result", "", withToken(c.ClientToken)...), 404, CodeSessionNotFound)
	require.Equal(t, 204, w.call("DELETE", "/v1/sessions/"+string(c.ID), "", withKey()...).StatusCode)
	w.refused(w.call("GET", path, "", withToken(c.ClientToken)...), 404, CodeSessionNotFound)
}

// TestResultOfALapsedSession: a live that no server stands for any more is no result.
func TestResultOfALapsedSession(t *testing.T) {
	w := newWorld(t, signing)
	c := w.create(`{"mode":"call"}`)
	require.NoError(t, w.store.Claim(t.Context(), c.ID, "x", liveproof.Lease{Owner: "elsewhere", Until: w.clock.now().Add(time.Second)}))
	w.clock.advance(time.Minute)
	w.refused(w.call("GET", "/v1/sessions/"+string(c.ID)+"/result", "", withKey()...), 409, CodeSessionRunning)
}

func TestResultForPagesElsewhere(t *testing.T) {
	w := newWorld(t, signing)
	path := "/v1/sessions/01JD4Z5T8Q0V9X2B3C4D5E6F7G/result"
	r := w.call("OPTIONS", path, "", "Origin", "https://bank.example", "Access-Control-Request-Method", "GET")
	require.Equal(t, 204, r.StatusCode)
	require.Equal(t, "https://bank.example", r.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, r.Header.Get("Access-Control-Allow-Headers"), "Authorization")
	require.Empty(t, w.call("OPTIONS", path, "", "Origin", "https://evil.example").Header.Get("Access-Control-Allow-Origin"))
}

func TestResultKeys(t *testing.T) {
	r := newWorld(t, signing).call("GET", "/.well-known/jwks.json", "")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "application/jwk-set+json", r.Header.Get("Content-Type"))
	require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "public, max-age=300", r.Header.Get("Cache-Control"))
}

func TestResultsOff(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	w.refused(w.call("GET", "/v1/sessions/"+string(c.ID)+"/result", "", withKey()...), 404, CodeResultsOff)
	w.refused(w.call("GET", "/.well-known/jwks.json", ""), 404, CodeResultsOff)
}
