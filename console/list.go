package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/cost"
	"github.com/liveproof/liveproof/internal/ids"
)

const (
	rowsPerPage = 25
	// maxRounds bounds how many pages of the store are read for one page here: a filter may pass few of many sessions.
	maxRounds = 4
	// running stands for the two states of a connected session.
	running liveproof.State = "running"
	// maxSearch is in characters, as external_id in openapi.yaml.
	maxSearch = 128
)

// The choices of the two filters; "" is any.
var (
	stateChoices = []liveproof.State{"", running, liveproof.StateCreated, liveproof.StateConnecting, liveproof.StateStreaming,
		liveproof.StateDecided, liveproof.StateExpired, liveproof.StateFailed}
	verdictChoices = []liveproof.Outcome{"", liveproof.OutcomePending, liveproof.OutcomeLive, liveproof.OutcomeSpoof, liveproof.OutcomeInconclusive}
)

// filters are what the visitor has chosen.
type filters struct {
	Search  string // an external id
	State   liveproof.State
	Verdict liveproof.Outcome
	After   liveproof.SessionID
}

// Set reports whether anything is left out of the list.
func (f filters) Set() bool { return f != filters{} }

// listPage is the content of the first page.
type listPage struct {
	filters
	States   []liveproof.State
	Verdicts []liveproof.Outcome
	Rows     []row
	Next     string // the address of the next page; empty on the last
}

// row is a session in the list.
type row struct {
	liveproof.Session
	Age     string
	Verdict liveproof.Verdict // the one that is valid now
}

func rowOf(s liveproof.Session, now time.Time) row {
	return row{Session: s, Age: age(now.Sub(s.CreatedAt)), Verdict: s.Current(now)}
}

func (c *console) showList(w http.ResponseWriter, r *http.Request, visitor scope) error {
	chosen, err := parseFilters(r.URL.Query())
	if err != nil {
		return err
	}
	if id, ok := ids.ParseSession(strings.ToUpper(chosen.Search)); ok {
		http.Redirect(w, r, Path+"/sessions/"+string(id), http.StatusSeeOther)
		return nil
	}
	found, err := c.find(r.Context(), visitor.Tenant, chosen)
	if err != nil {
		return err
	}
	c.budget.charge(visitor, cost.Records(found.Read))
	page := listPage{filters: chosen, States: stateChoices, Verdicts: verdictChoices}
	for _, s := range found.Sessions {
		page.Rows = append(page.Rows, rowOf(s, c.now()))
	}
	if found.Next != "" {
		page.Next = chosen.address(visitor, found.Next)
	}
	return render(w, http.StatusOK, "list", frame{Title: "Sessions", Visitor: &visitor, Live: true, Content: page})
}

func parseFilters(q url.Values) (filters, error) {
	f := filters{
		Search: strings.TrimSpace(q.Get("q")), State: liveproof.State(q.Get("state")), Verdict: liveproof.Outcome(q.Get("verdict")),
	}
	after, ok := ids.ParseSession(q.Get("after"))
	f.After = after
	switch {
	case !slices.Contains(stateChoices, f.State), !slices.Contains(verdictChoices, f.Verdict):
		return f, &fault{http.StatusBadRequest, "There is no such state or verdict."}
	case !ok && q.Get("after") != "":
		return f, &fault{http.StatusBadRequest, "The address of the page is not complete."}
	case utf8.RuneCountInString(f.Search) > maxSearch, !utf8.ValidString(f.Search):
		return f, &fault{http.StatusBadRequest, "An external id has at most 128 characters."}
	}
	return f, nil
}

// address is that of the page behind a session, with the same filters.
func (f filters) address(visitor scope, after liveproof.SessionID) string {
	q := url.Values{"after": {string(after)}}
	for name, value := range map[string]string{"q": f.Search, "state": string(f.State), "verdict": string(f.Verdict)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if visitor.Choices != nil {
		q.Set("tenant", visitor.Tenant)
	}
	return Path + "/?" + q.Encode()
}

// find returns a page of the tenant's sessions, newest first.
func (c *console) find(ctx context.Context, tenant string, f filters) (page liveproof.SessionPage, err error) {
	states := []liveproof.State{f.State}
	if f.State == running {
		states = []liveproof.State{liveproof.StateConnecting, liveproof.StateStreaming}
	}
	parts := make([]liveproof.SessionPage, len(states))
	for i, state := range states {
		q := liveproof.SessionQuery{
			Tenant: tenant, ExternalID: f.Search, State: state, Verdict: f.Verdict, After: f.After, Limit: rowsPerPage,
		}
		if parts[i], err = c.fill(ctx, q); err != nil {
			return page, err
		}
	}
	return merge(parts), nil
}

// fill asks the store again while its page is not full.
func (c *console) fill(ctx context.Context, q liveproof.SessionQuery) (page liveproof.SessionPage, err error) {
	for range maxRounds {
		found, err := c.deps.Sessions.List(ctx, q)
		if err != nil {
			return page, err
		}
		page.Sessions = append(page.Sessions, found.Sessions...)
		page.Next, page.Read = found.Next, page.Read+found.Read
		q.After, q.Limit = found.Next, rowsPerPage-len(page.Sessions)
		if page.Next == "" || q.Limit <= 0 {
			break
		}
	}
	return page, nil
}

// merge joins pages into one of at most rowsPerPage sessions. No page knows what is behind its Next, so the joined one ends at the
// first of them.
func merge(parts []liveproof.SessionPage) (page liveproof.SessionPage) {
	for _, p := range parts {
		page.Sessions = append(page.Sessions, p.Sessions...)
		page.Next, page.Read = max(page.Next, p.Next), page.Read+p.Read
	}
	page.Sessions = slices.DeleteFunc(page.Sessions, func(s liveproof.Session) bool { return s.ID < page.Next })
	slices.SortFunc(page.Sessions, func(a, b liveproof.Session) int { return cmp.Compare(b.ID, a.ID) })
	if len(page.Sessions) > rowsPerPage {
		page.Sessions = page.Sessions[:rowsPerPage]
		page.Next = page.Sessions[rowsPerPage-1].ID
	}
	return page
}
