package ingest

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
)

// longestWait is how long a request waits for a challenge, in seconds: less than the 30 s after which many proxies give up.
const longestWait = 20

// challengeID is what the ids of challenges look like.
var challengeID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// readChallenge is GET /v1/sessions/{id}/challenge, for a client that publishes by WHIP: it waits for the challenge that the session is
// asked. Clients of signalling are told by a message.
func (s *Server) readChallenge(w http.ResponseWriter, r *http.Request) error {
	after, wait, err := challengeQuery(r)
	if err != nil {
		return err
	}
	connection, err := s.challenged(w, r)
	if connection == nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + writeWait)) // not supported: the server has none
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	return answerChallenge(ctx, w, connection, after)
}

// declineChallenge is DELETE /v1/sessions/{id}/challenge, for a client that publishes by WHIP: the person does not want to do the challenge.
func (s *Server) declineChallenge(w http.ResponseWriter, r *http.Request) error {
	connection, err := s.challenged(w, r)
	if connection == nil {
		return err
	}
	if connection.Decline(r.URL.Query().Get("id")) != nil {
		return problem(CodeInvalidRequest, "id: that of the challenge that was asked last")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// challenged is the connection of the session that a request's client token opened; nil with an error, or when the request was handed over
// to the node that owns the session.
func (s *Server) challenged(w http.ResponseWriter, r *http.Request) (*live.Connection, error) {
	id, tokenID, err := s.whipToken(r)
	if err != nil {
		return nil, err
	}
	connection := s.live.Find(id)
	if connection == nil {
		if answered, err := s.toOwner(w, r, id, tokenID); answered || err != nil {
			return nil, err
		}
		return nil, problem(CodeSessionNotFound, "the session is not connected to this server, or has ended")
	}
	if !connection.OpenedBy(tokenID) {
		return nil, s.countRefusal(problem(CodeTokenInvalid, "another client token opened this session"))
	}
	return connection, nil
}

// challengeQuery reads the parameters: the id of the challenge before, and how long to wait.
func challengeQuery(r *http.Request) (after string, wait time.Duration, err error) {
	query := r.URL.Query()
	after = query.Get("after")
	if after != "" && !challengeID.MatchString(after) {
		return "", 0, problem(CodeInvalidRequest, "after: the id of a challenge, 32 hexadecimal digits")
	}
	seconds := longestWait
	if query.Has("wait") {
		seconds, err = strconv.Atoi(query.Get("wait"))
	}
	if err != nil || seconds < 0 || seconds > longestWait {
		return "", 0, problem(CodeInvalidRequest, "wait: whole seconds, 0 to 20")
	}
	return after, time.Duration(seconds) * time.Second, nil
}

func answerChallenge(ctx context.Context, w http.ResponseWriter, connection *live.Connection, after string) error {
	c, found, err := connection.Challenge(ctx, after)
	switch {
	case errors.Is(err, live.ErrAwaited):
		return problem(CodeRateLimited, err.Error())
	case err != nil:
		return problem(CodeSessionNotFound, "the session has ended")
	case !found:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeJSON(w, http.StatusOK, c)
}

// challengeMessage tells a challenge.
func challengeMessage(c liveproof.Challenge) message {
	return message{"type": "challenge", "challenge": c}
}

// decline takes a person's refusal to do a challenge.
func decline(m clientMessage, c *live.Connection) error {
	if !m.Declined || c.Decline(m.ID) != nil {
		return problem(CodeProtocolError, "declined is true, and id that of the challenge that was asked last")
	}
	return nil
}
