package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// liveproof calls the sessions API (ingest/openapi.yaml). The API key never leaves it.
type liveproof struct {
	url    string // without a slash at the end
	apiKey string
	http   *http.Client // with a timeout
}

// createSession returns the body of Liveproof's answer unchanged, for the page's component. When no answer
// comes, it asks once more; the idempotency key keeps that from making two sessions.
func (l liveproof) createSession(ctx context.Context, externalID string) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]string{"mode": "onboarding", "external_id": externalID})
	if err != nil {
		return nil, err
	}
	key := rand.Text()
	created, err := l.post(ctx, "/v1/sessions", key, body)
	if _, refused := errors.AsType[refusal](err); err != nil && !refused {
		created, err = l.post(ctx, "/v1/sessions", key, body)
	}
	return created, err
}

func (l liveproof) post(ctx context.Context, path, idempotencyKey string, body []byte) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.apiKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", idempotencyKey)
	return send(l.http, req)
}

// refusal is an answer of Liveproof other than success.
type refusal struct {
	status int
	Code   string `json:"code"` // stable, unlike Detail
	Detail string `json:"detail"`
}

func (r refusal) Error() string {
	return fmt.Sprintf("Liveproof answered %d %s: %s", r.status, r.Code, r.Detail)
}

// send returns the body of an answer of success, and a refusal for any other.
func send(client *http.Client, req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		refused := refusal{status: resp.StatusCode}
		_ = json.Unmarshal(answer, &refused) // the answer of a proxy is not JSON; its status is enough
		return nil, refused
	}
	return answer, nil
}
