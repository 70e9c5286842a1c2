package publish

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// audit reads what the store holds of every session, and notes what must not be.
func (c Chaos) audit(ctx context.Context, entries []Entry, progress *chaosProgress) error {
	until := time.Now().Add(c.Settle)
	for i := range entries {
		if err := c.auditOne(ctx, &entries[i], until); err != nil {
			return err
		}
		progress.compared(entries[i])
	}
	return nil
}

func (c Chaos) auditOne(ctx context.Context, e *Entry, until time.Time) error {
	if e.Session == "" {
		return nil
	}
	records, err := c.settled(ctx, e.Session, until)
	if err != nil {
		return err
	}
	e.compare(records)
	listed, err := c.listed(ctx, e.ExternalID, until)
	if err != nil {
		return err
	}
	if !slices.Equal(listed, []string{e.Session}) {
		e.fault("the list has %v under this external id", listed)
	}
	return nil
}

// settled is the record at every server that answers, once it has ended everywhere; what there is when time is up.
func (c Chaos) settled(ctx context.Context, id string, until time.Time) (found []Status, err error) {
	for {
		found = c.records(ctx, id)
		ended := len(found) > 0 && !slices.ContainsFunc(found, func(s Status) bool { return !s.State.Terminal() })
		if ended || time.Now().After(until) {
			return found, ctx.Err()
		}
		if err := sleep(ctx, 250*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func (e *Entry) fault(format string, args ...any) {
	e.Faults = append(e.Faults, fmt.Sprintf(format, args...))
}

// compare holds what the client saw against the records.
func (e *Entry) compare(records []Status) {
	if len(records) == 0 {
		e.fault("lost: no server has the session")
		return
	}
	e.Stored = records[0]
	for _, r := range records[1:] {
		if !same(r, e.Stored) {
			e.fault("servers differ: %s %s and %s %s", e.Stored.State, e.Stored.Verdict, r.State, r.Verdict)
		}
	}
	switch told := resultOf(e.Stored); {
	case !e.Stored.State.Terminal():
		e.fault("lost: the session does not end, it is %s", e.Stored.State)
	case e.Seen.State.Terminal() && !same(e.Seen, e.Stored):
		e.fault("overwritten: the client read %s %s, the store has %s %s", e.Seen.State, e.Seen.Verdict, e.Stored.State, e.Stored.Verdict)
	case e.Told != "" && e.Told != told && !e.Withheld():
		e.fault("the client was told %s, the store has %s", e.Told, e.Stored.Verdict)
	}
	if e.NeverLive && (e.Stored.Verdict == liveproof.OutcomeLive || e.Told == "pass") {
		e.fault("false live")
	}
}

// contradictsItself reports whether what the client was told and what it read do not agree, or must not be, whatever the store holds.
func (e Entry) contradictsItself() bool {
	if !e.Seen.State.Terminal() {
		return e.NeverLive && e.Told == "pass"
	}
	e.Faults = nil
	e.compare([]Status{e.Seen})
	return len(e.Faults) > 0
}

// Withheld reports whether the client was told to try again although the store has a verdict: the server could not learn that it was written.
func (e *Entry) Withheld() bool { return e.Told == "retry" && resultOf(e.Stored) != "retry" }

func same(a, b Status) bool {
	return a.State == b.State && a.Verdict == b.Verdict && a.DecidedAt.Equal(b.DecidedAt)
}

// listed are the sessions with this external id, as the first server that answers lists them.
func (c Chaos) listed(ctx context.Context, externalID string, until time.Time) (found []string, err error) {
	for {
		for _, server := range c.Servers {
			var page struct{ Sessions []struct{ ID string } }
			client := c.Client
			client.Server = server
			if err = client.do(ctx, http.MethodGet, "/v1/sessions?external_id="+url.QueryEscape(externalID), "", &page); err != nil {
				continue
			}
			found = nil
			for _, s := range page.Sessions {
				found = append(found, s.ID)
			}
			return found, nil
		}
		if time.Now().After(until) || ctx.Err() != nil {
			return nil, fmt.Errorf("no server lists sessions: %w", err)
		}
		_ = sleep(ctx, 250*time.Millisecond) // the end of ctx shows above
	}
}

// Ledger sums a run's entries up.
type Ledger struct {
	Sessions int                       `json:"sessions"`
	Fates    map[Fate]int              `json:"fates"`
	Astray   int                       `json:"astray"`
	Told     map[string]int            `json:"told"`
	Stored   map[liveproof.Outcome]int `json:"stored"`
	Reasons  map[liveproof.Reason]int  `json:"reasons"` // first reasons of the inconclusive ones
	Withheld int                       `json:"withheld"`
	Faulty   []Entry                   `json:"faulty"`
}

// SumUp counts the entries.
func SumUp(entries []Entry) Ledger {
	l := Ledger{
		Sessions: len(entries), Fates: map[Fate]int{}, Told: map[string]int{}, Stored: map[liveproof.Outcome]int{}, Reasons: map[liveproof.Reason]int{},
		Faulty: []Entry{},
	}
	for _, e := range entries {
		l.Fates[e.Fate]++
		if e.Astray {
			l.Astray++
		}
		if e.Told != "" {
			l.Told[e.Told]++
		}
		if len(e.Faults) > 0 {
			l.Faulty = append(l.Faulty, e)
		}
		if e.Session == "" {
			continue
		}
		l.Stored[e.Stored.Verdict]++
		if e.Stored.Verdict == liveproof.OutcomeInconclusive && len(e.Stored.Reasons) > 0 {
			l.Reasons[e.Stored.Reasons[0]]++
		}
		if e.Withheld() {
			l.Withheld++
		}
	}
	return l
}
