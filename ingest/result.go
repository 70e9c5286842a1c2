package ingest

import (
	"net/http"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

// Signed results: a page carries one to its backend, which verifies it without a call.

// readResult serves the backend, with its API key, and the page, with its session's client token.
func (s *Server) readResult(w http.ResponseWriter, r *http.Request) error {
	if s.deps.Results == nil {
		return resultsOff()
	}
	if _, isKey := s.keys.find(bearer(r)); isKey {
		return s.withKey(func(w http.ResponseWriter, r *http.Request) error {
			session, err := s.session(r)
			return s.answerResult(w, session, err)
		})(w, r)
	}
	return s.perAddress(func(w http.ResponseWriter, r *http.Request) error {
		session, err := s.sessionOfToken(r)
		return s.answerResult(w, session, err)
	})(w, r)
}

// sessionOfToken reads the session that the path names, for the holder of one of its client tokens. A token that is too old to
// connect still reads: a call outlasts it.
func (s *Server) sessionOfToken(r *http.Request) (liveproof.Session, error) {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return liveproof.Session{}, liveproof.ErrNotFound
	}
	if _, err := s.tokens.verifyConnected(bearer(r), id); err != nil {
		return liveproof.Session{}, err
	}
	return s.deps.Sessions.Get(r.Context(), id)
}

func (s *Server) answerResult(w http.ResponseWriter, session liveproof.Session, err error) error {
	switch {
	case err != nil:
		return err
	case !session.State.Terminal():
		return problem(CodeSessionRunning, "the session has not ended; ask again after its end")
	}
	signed, err := s.deps.Results.Sign(session)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(signed)) // the client is gone: nobody to tell
	return nil
}

// resultKeys is the JWK Set, for everyone. Its max-age bounds how long a verifier may not know a new key.
func (s *Server) resultKeys(w http.ResponseWriter, _ *http.Request) error {
	if s.deps.Results == nil {
		return resultsOff()
	}
	keys, err := s.deps.Results.Keys()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(keys) // the client is gone: nobody to tell
	return nil
}

// nothing answers a preflight, whose headers are set by then.
func (s *Server) nothing(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func resultsOff() error {
	return problem(CodeResultsOff, "this server signs no results; its operator must set results.keys")
}
