// Package results signs what a session came to, so that a page can carry the result to a backend that verifies it without a
// call: a JWT (RFC 7519) as a compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037). It never tells ρ.
package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/liveproof/liveproof"
)

// Type is the header "typ" of a signed result. A verifier that checks it never takes another token of the service for a result
// (RFC 8725, 3.11).
const Type = "liveproof-result+jwt"

// ErrRunning says that the session has not ended, so that there is no result to sign.
var ErrRunning = errors.New("results: the session has not ended")

// Signer signs results. It is safe for concurrent use.
type Signer struct {
	cfg  Config
	now  func() time.Time
	ring atomic.Pointer[keyring]
}

// New reads the keys; there must be one at least.
func New(cfg Config, now func() time.Time) (*Signer, error) {
	s := &Signer{cfg: cfg, now: now}
	return s, s.Reload()
}

// Reload reads the keys again. After an error the old keys stay.
func (s *Signer) Reload() error {
	ring, err := readKeys(s.cfg.Keys)
	if err != nil {
		return fmt.Errorf("results.keys: %w", err)
	}
	if ring == nil {
		return errors.New("results.keys: at least one is needed")
	}
	s.ring.Store(ring)
	return nil
}

// KeyID is the id of the key that signs now.
func (s *Signer) KeyID() string { return s.ring.Load().signing.KeyID }

// Keys is the JWK Set (RFC 7517, 5) of all public keys.
func (s *Signer) Keys() ([]byte, error) { return json.Marshal(s.ring.Load().public) }

// claims are the members of a signed result. Times are in seconds since 1970 (NumericDate).
type claims struct {
	Issuer   string              `json:"iss"`
	Audience string              `json:"aud"` // the tenant
	Subject  liveproof.SessionID `json:"sub"`
	IssuedAt int64               `json:"iat"`
	Expires  int64               `json:"exp"`

	DecidedAt  int64            `json:"decided_at"`
	Mode       liveproof.Mode   `json:"mode"`
	ExternalID string           `json:"external_id"`
	Result     liveproof.Result `json:"result"`
	// Evidence is what the result rests on.
	Evidence []liveproof.Evidence `json:"evidence"`
	// Model and Threshold are absent where no picture came.
	Model     *liveproof.JudgingModel     `json:"model,omitempty"`
	Threshold *liveproof.JudgingThreshold `json:"threshold,omitempty"`
}

// Sign returns the session's result as a compact JWS; ErrRunning before the session's end.
func (s *Signer) Sign(session liveproof.Session) (string, error) {
	if !session.State.Terminal() {
		return "", ErrRunning
	}
	payload, err := json.Marshal(s.claimsOf(session))
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: s.ring.Load().signing}, (&jose.SignerOptions{}).WithType(Type))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// listed turns nil into an empty list, which JSON writes as [].
func listed(given []liveproof.Evidence) []liveproof.Evidence {
	return append([]liveproof.Evidence{}, given...)
}

func (s *Signer) claimsOf(x liveproof.Session) claims {
	now := s.now()
	c := claims{
		Issuer: s.cfg.Issuer, Audience: x.Tenant, Subject: x.ID, IssuedAt: now.Unix(), Expires: now.Add(s.cfg.TTL).Unix(),
		DecidedAt: x.DecidedAt.Unix(), Mode: x.Mode, ExternalID: x.ExternalID,
		Result: x.Verdict.Outcome.Result(), Evidence: listed(x.Verdict.Evidence),
	}
	c.Model, c.Threshold = x.JudgedBy()
	return c
}
