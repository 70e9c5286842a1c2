package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/cost"
	"github.com/liveproof/liveproof/internal/ids"
)

// maxPage and defaultPage are in sessions.
const (
	maxPage     = 100
	defaultPage = 20
)

// sessionList is the body of GET /v1/sessions.
type sessionList struct {
	Sessions []view `json:"sessions"`
	// NextCursor is the cursor of the next page; nil on the last one.
	NextCursor *liveproof.SessionID `json:"next_cursor"`
}

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) error {
	q, err := parseListQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	q.Tenant = tenantOf(r)
	page, err := s.deps.Sessions.List(r.Context(), q)
	if err != nil {
		return err
	}
	s.charge(w, r, cost.Records(page.Read))
	list := sessionList{Sessions: make([]view, len(page.Sessions))}
	for i, x := range page.Sessions {
		list.Sessions[i] = s.viewOf(x)
	}
	if page.Next != "" {
		list.NextCursor = &page.Next
	}
	return writeJSON(w, http.StatusOK, list)
}

// listParameters read the parameters of GET /v1/sessions into the query; an error says what is allowed.
var listParameters = map[string]func(q *liveproof.SessionQuery, value string) error{
	"limit": func(q *liveproof.SessionQuery, value string) (err error) {
		if q.Limit, err = strconv.Atoi(value); err != nil || q.Limit < 1 || q.Limit > maxPage {
			return fmt.Errorf("a whole number from 1 to %d", maxPage)
		}
		return nil
	},
	"cursor": func(q *liveproof.SessionQuery, value string) error {
		id, ok := ids.ParseSession(value) // that of the last session of the page before
		if !ok {
			return errors.New("not a next_cursor of an earlier answer")
		}
		q.After = id
		return nil
	},
	"external_id": func(q *liveproof.SessionQuery, value string) error {
		if value == "" || !utf8.ValidString(value) || checkExternalID(value) != nil {
			return fmt.Errorf("1 to %d characters, as in the session's creation", maxExternalID)
		}
		q.ExternalID = value
		return nil
	},
	"state": func(q *liveproof.SessionQuery, value string) error {
		q.State = liveproof.State(value)
		return oneOf(q.State, liveproof.StateCreated, liveproof.StateConnecting, liveproof.StateStreaming,
			liveproof.StateDecided, liveproof.StateExpired, liveproof.StateFailed)
	},
	"verdict": func(q *liveproof.SessionQuery, value string) error {
		q.Verdict = liveproof.Outcome(value)
		return oneOf(q.Verdict, liveproof.OutcomePending, liveproof.OutcomeLive, liveproof.OutcomeSpoof, liveproof.OutcomeInconclusive)
	},
	"created_from":  func(q *liveproof.SessionQuery, value string) error { return readTime(&q.From, value) },
	"created_until": func(q *liveproof.SessionQuery, value string) error { return readTime(&q.Until, value) },
}

// parseListQuery reads the query of a URL strictly: a parameter that is unknown or comes twice is refused, because a filter
// that is misspelt would find too much.
func parseListQuery(raw string) (liveproof.SessionQuery, error) {
	q := liveproof.SessionQuery{Limit: defaultPage}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, problem(CodeInvalidRequest, "the query of the URL is not valid")
	}
	for name, given := range values {
		read, known := listParameters[name]
		switch {
		case !known:
			return q, problem(CodeInvalidRequest, fmt.Sprintf("unknown parameter %.64q", name))
		case len(given) != 1:
			return q, invalidField(name, name+" comes twice")
		}
		if err := read(&q, given[0]); err != nil {
			return q, invalidField(name, name+" is "+err.Error())
		}
	}
	return q, nil
}

func oneOf[T ~string](v T, choices ...T) error {
	if !slices.Contains(choices, v) {
		return fmt.Errorf("one of %v", choices)
	}
	return nil
}

func readTime(into *time.Time, value string) (err error) {
	if *into, err = time.Parse(time.RFC3339Nano, value); err != nil {
		return errors.New("a time such as 2026-01-15T09:00:00Z (RFC 3339)")
	}
	return nil
}
