package injection

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/liveproof/liveproof"
)

// maxAnswer bounds what is read of a verifier's answer, in bytes.
const maxAnswer = 64 << 10

// Verifier is an Attestor that asks an external service: POST with {"session": …, "attestation": …}; the answer is 200 with
// {"verified": true} or false. Any other answer is an error, so nobody knows.
type Verifier struct {
	url    string
	client *http.Client
}

// NewVerifier returns the attestor of a configuration; nil where it names none.
func NewVerifier(cfg AttestationConfig) Attestor {
	if cfg.URL == "" {
		return nil
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Verifier{url: cfg.URL, client: &http.Client{Timeout: cfg.Timeout, CheckRedirect: stay}}
}

// Attest implements Attestor.
func (v *Verifier) Attest(ctx context.Context, id liveproof.SessionID, statement string) (verified bool, err error) {
	body, err := json.Marshal(map[string]string{"session": string(id), "attestation": statement})
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := v.client.Do(request)
	if err != nil {
		return false, err
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("the verifier answers %s", answer.Status)
	}
	told, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return false, err
	}
	return parseAnswer(told)
}

// parseAnswer reads {"verified": …}; other members are ignored.
func parseAnswer(told []byte) (verified bool, err error) {
	var answer struct {
		Verified *bool `json:"verified"`
	}
	if err := json.Unmarshal(told, &answer); err != nil {
		return false, fmt.Errorf("the verifier's answer: %w", err)
	}
	if answer.Verified == nil {
		return false, errors.New(`the verifier's answer lacks "verified"`)
	}
	return *answer.Verified, nil
}
