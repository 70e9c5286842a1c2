package client

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestRound is a backend's round against the server that LIVEPROOF_URL names: create, read, an early result, a result, a list.
func TestRound(t *testing.T) {
	if os.Getenv("LIVEPROOF_URL") == "" {
		t.Skip("LIVEPROOF_URL names no server (make test-integrations-api runs one)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	liveproof, err := NewClientWithResponses(os.Getenv("LIVEPROOF_URL"), WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+os.Getenv("LIVEPROOF_API_KEY"))
		return nil
	}))
	must(t, "client", err)

	mode, name := CreationModeOnboarding, "go"
	created, err := liveproof.CreateSessionWithResponse(ctx, nil, Creation{Mode: &mode, ExternalId: &name})
	must(t, "create", err)
	if created.JSON201 == nil {
		t.Fatalf("create: %s %s", created.Status(), created.Body)
	}
	id := created.JSON201.Id
	if session := read(ctx, t, liveproof, id); session.State != SessionStateCreated || session.ExternalId != name {
		t.Fatalf("read: %+v", session)
	}
	early, err := liveproof.ReadResultWithResponse(ctx, id)
	must(t, "early result", err)
	if problem := early.ApplicationproblemJSON409; problem == nil || problem.Code != SessionRunning {
		t.Fatalf("early result: %s %s", early.Status(), early.Body)
	}
	checkEnded(ctx, t, liveproof, id, name)
}

// checkEnded waits until the server has ended the session that nobody connects to, and reads its result and the list.
func checkEnded(ctx context.Context, t *testing.T, liveproof *ClientWithResponses, id ULID, name string) {
	t.Helper()
	for read(ctx, t, liveproof, id).State == SessionStateCreated {
		time.Sleep(200 * time.Millisecond)
	}
	result, err := liveproof.ReadResultWithResponse(ctx, id)
	must(t, "result", err)
	if result.StatusCode() != http.StatusOK || strings.Count(string(result.Body), ".") != 2 {
		t.Fatalf("result: %s %s", result.Status(), result.Body)
	}
	state := ListSessionsParamsStateExpired
	page, err := liveproof.ListSessionsWithResponse(ctx, &ListSessionsParams{ExternalId: &name, State: &state})
	must(t, "list", err)
	if page.JSON200 == nil || len(page.JSON200.Sessions) == 0 || page.JSON200.Sessions[0].Id != id {
		t.Fatalf("list: %s %s", page.Status(), page.Body)
	}
	session := page.JSON200.Sessions[0]
	t.Logf("created, read (%s, %s), result of %d characters, listed", session.State, session.Verdict, len(result.Body))
}

func read(ctx context.Context, t *testing.T, liveproof *ClientWithResponses, id ULID) Session {
	t.Helper()
	answer, err := liveproof.ReadSessionWithResponse(ctx, id)
	must(t, "read", err)
	if answer.JSON200 == nil {
		t.Fatalf("read: %s %s", answer.Status(), answer.Body)
	}
	return *answer.JSON200
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
