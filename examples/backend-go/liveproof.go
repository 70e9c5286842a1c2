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

// session is what a decision needs of a session's record.
type session struct {
	State      string     `json:"state"`
	Verdict    string     `json:"verdict"`
	ExternalID string     `json:"external_id"`
	Threshold  *threshold `json:"threshold"` // null where no picture came
}

// threshold is what judged the session: keep it with the decision, as evidence.
type threshold struct {
	Value             float64 `json:"value"`
	Source            string  `json:"source"`
	CalibrationSHA256 string  `json:"calibration_sha256"` // empty without a calibration
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

// create returns the body of Liveproof's answer unchanged, for the page's component. When no
// answer comes, create asks once more; the idempotency key keeps that from making two
// sessions.
func (l liveproof) create(ctx context.Context, externalID string) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]string{"mode": "onboarding", "external_id": externalID})
	if err != nil {
		return nil, err
	}
	key := rand.Text()
	created, err := l.call(ctx, http.MethodPost, "/v1/sessions", key, body)
	if _, refused := errors.AsType[refusal](err); err != nil && !refused {
		created, err = l.call(ctx, http.MethodPost, "/v1/sessions", key, body)
	}
	return created, err
}

func (l liveproof) read(ctx context.Context, id string) (s session, err error) {
	body, err := l.call(ctx, http.MethodGet, "/v1/sessions/"+id, "", nil)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}

func (l liveproof) call(ctx context.Context, method, path, idempotencyKey string, body []byte) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.apiKey)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := l.http.Do(req)
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
