package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// claims are what a decision needs of a signed result; docs/integration.md has all of them.
type claims struct {
	Issuer     string `json:"iss"`
	Audience   string `json:"aud"`
	Session    string `json:"sub"`
	Expires    int64  `json:"exp"` // seconds since 1970
	DecidedAt  int64  `json:"decided_at"`
	ExternalID string `json:"external_id"`
	Mode       string `json:"mode"`
	Result     string `json:"result"`
	Model      *model `json:"model"`
	Threshold  struct {
		Source            string `json:"source"`
		CalibrationSHA256 string `json:"calibration_sha256"` // empty without a calibration
	} `json:"threshold"` // what judged: keep it with the decision, as evidence
}

// verifier verifies signed results: JWS (RFC 7515) of Ed25519 (RFC 8037).
type verifier struct {
	issuer, tenant string
	keys           *keySet
}

// verify returns the claims of a result that this Liveproof signed for this tenant and that is still valid.
func (v verifier) verify(ctx context.Context, result string) (c claims, err error) {
	header, signed, signature, err := split(result)
	if err != nil || header.Alg != "EdDSA" || header.Typ != "liveproof-result+jwt" {
		return c, errors.New("not a signed result")
	}
	key, err := v.keys.find(ctx, header.Kid)
	if err != nil {
		return c, err
	}
	if !ed25519.Verify(key, []byte(signed), signature) {
		return c, errors.New("the signature is not Liveproof's")
	}
	err = decode(signed[strings.Index(signed, ".")+1:], &c)
	if err != nil || c.Issuer != v.issuer || c.Audience != v.tenant || time.Now().Unix() >= c.Expires {
		return c, errors.New("another service's or tenant's result, or one that has expired")
	}
	return c, nil
}

// header names the signature's algorithm, what is signed, and the key.
type header struct{ Alg, Typ, Kid string }

// split takes a compact JWS apart: what is signed is header.payload.
func split(jws string) (h header, signed string, signature []byte, err error) {
	parts := strings.Split(jws, ".")
	if len(parts) != 3 {
		return h, "", nil, errors.New("not three parts")
	}
	if err = decode(parts[0], &h); err != nil {
		return h, "", nil, err
	}
	signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return h, parts[0] + "." + parts[1], signature, err
}

// decode reads a part of a JWS that holds JSON.
func decode(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// outcome is what the result says of its session.
func (c claims) outcome() outcome { return outcome{c.Result, c.Model, time.Unix(c.DecidedAt, 0)} }

// receiveResult decides by the signed result that the page brings: without a call to Liveproof, and only for the visitor and the
// session that it is about. A visitor who has begun no check is turned away first, before strangers can cost anything.
func (b *backend) receiveResult(w http.ResponseWriter, r *http.Request) {
	who := visitor(r)
	if !b.checks.knows(who) {
		answer(w, http.StatusNotFound, problem{"session_not_found"})
		return
	}
	result, ok := readBody(w, r)
	if !ok {
		return
	}
	c, err := b.verifier.verify(r.Context(), string(result))
	if err == nil {
		err = c.outcome().objection(b.allowDemo)
	}
	if err != nil {
		refuse(w, http.StatusUnauthorized, "result_invalid", err)
		return
	}
	if c.Mode != "onboarding" {
		answer(w, http.StatusNotFound, problem{"session_not_found"})
		return
	}
	decision, ok := b.checks.decide(c.Session, c.ExternalID, who, c.outcome().decision())
	if !ok { // somebody else's check says nothing about this visitor
		answer(w, http.StatusNotFound, problem{"session_not_found"})
		return
	}
	logDecision(c.Session, decision, "the threshold of the "+c.Threshold.Source+" "+c.Threshold.CalibrationSHA256)
	answer(w, http.StatusOK, map[string]string{"decision": decision})
}
