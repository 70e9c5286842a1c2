package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// Code is a problem's stable code (RFC 9457 extension member "code"); clients
// decide by it, never by the text.
type Code string

// The codes, documented in openapi.yaml.
const (
	CodeInvalidRequest       Code = "invalid_request"
	CodeUnauthorized         Code = "unauthorized"
	CodeTokenInvalid         Code = "token_invalid"
	CodeTokenExpired         Code = "token_expired"
	CodeTokenWrongSession    Code = "token_wrong_session"
	CodeTokenUsed            Code = "token_used"
	CodeOriginForbidden      Code = "origin_forbidden"
	CodeSessionNotFound      Code = "session_not_found"
	CodeNotFound             Code = "not_found"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodeSessionConflict      Code = "session_conflict"
	CodePreconditionFailed   Code = "precondition_failed"
	CodeBodyTooLarge         Code = "body_too_large"
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	CodeIdempotencyMismatch  Code = "idempotency_mismatch"
	CodeSDPInvalid           Code = "sdp_invalid"
	CodeICERestart           Code = "ice_restart_unsupported"
	CodeUpgradeRequired      Code = "upgrade_required"
	CodePreconditionRequired Code = "precondition_required"
	CodeRateLimited          Code = "rate_limited"
	CodeInternal             Code = "internal_error"
	CodeStoreUnavailable     Code = "store_unavailable"
	CodeScorerUnavailable    Code = "scorer_unavailable"
	CodeOverloaded           Code = "overloaded"
	CodeShuttingDown         Code = "shutting_down"
	CodeNegotiationTimeout   Code = "negotiation_timeout"
	CodeTimeout              Code = "timeout"
	// CodeProtocolError is for signalling messages only.
	CodeProtocolError Code = "protocol_error"
)

// problemStatus is the HTTP status of each code.
var problemStatus = map[Code]int{
	CodeInvalidRequest: 400, CodeSDPInvalid: 400,
	CodeUnauthorized: 401, CodeTokenInvalid: 401, CodeTokenExpired: 401, CodeTokenWrongSession: 401,
	CodeOriginForbidden: 403,
	CodeSessionNotFound: 404, CodeNotFound: 404,
	CodeMethodNotAllowed: 405,
	CodeTokenUsed:        409, CodeSessionConflict: 409,
	CodePreconditionFailed:   412,
	CodeBodyTooLarge:         413,
	CodeUnsupportedMediaType: 415,
	CodeIdempotencyMismatch:  422, CodeICERestart: 422,
	CodeUpgradeRequired:      426,
	CodePreconditionRequired: 428,
	CodeRateLimited:          429,
	CodeInternal:             500,
	CodeStoreUnavailable:     503, CodeScorerUnavailable: 503, CodeOverloaded: 503, CodeShuttingDown: 503,
	CodeNegotiationTimeout: 504, CodeTimeout: 504,
}

// Problem is an RFC 9457 problem document; it is also the error that carries
// one through the handlers. Detail is for the client: it holds no internals.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      Code   `json:"code"`
	Detail    string `json:"detail,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// Field is the member of the request body that is wrong.
	Field string `json:"field,omitempty"`

	cause error
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%s: %s", p.Code, p.Detail) }

// Unwrap gives the cause, which is logged and never sent.
func (p *Problem) Unwrap() error { return p.cause }

func problem(code Code, detail string) *Problem {
	status := cmp.Or(problemStatus[code], http.StatusInternalServerError) // a protocol error has no status of its own
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func invalidField(field, detail string) *Problem {
	p := problem(CodeInvalidRequest, detail)
	p.Field = field
	return p
}

// translations say what the client may know of an error, and whose fault it is:
// the first row that fits counts. It is the one place where errors become problems.
var translations = []struct {
	err    error
	code   Code
	detail string
}{
	// The client's.
	{liveproof.ErrNotFound, CodeSessionNotFound, "no such session, or it has expired"},
	{liveproof.ErrTokenUsed, CodeTokenUsed, "the client token has opened its one connection already"},
	{liveproof.ErrConflict, CodeSessionConflict, "the session has a connection or has ended"},
	{liveproof.ErrDecided, CodeSessionConflict, "the session has a connection or has ended"},
	{liveproof.ErrIdempotencyMismatch, CodeIdempotencyMismatch, "the Idempotency-Key was used with another request body"},
	{rtc.ErrBadSDP, CodeSDPInvalid, "the offer cannot be used: it needs a video section with a codec that this server accepts (webrtc.codecs)"},
	{rtc.ErrTooManyCandidates, CodeProtocolError, "too many ICE candidates"},
	{live.ErrRenegotiation, CodeProtocolError, "the offer was made already; renegotiation is not supported"},
	// The server's, or that of what it depends on. What a store says of itself
	// comes before any timeout: its own calls have deadlines too.
	{errNotAdmitted, CodeScorerUnavailable, "the scorer is not ready"},
	{live.ErrDraining, CodeShuttingDown, "the server is shutting down; another one will answer"},
	{liveproof.ErrOverloaded, CodeOverloaded, "no capacity for another session now"},
	{liveproof.ErrUnavailable, CodeStoreUnavailable, "the session store does not answer now"},
	// The network's between client and server.
	{live.ErrNegotiation, CodeNegotiationTimeout, "the connection could not be negotiated in time"},
	{liveproof.ErrDisconnected, CodeSessionConflict, "the connection has ended"},
	// Nobody's in particular: the request took too long, or its client left.
	{context.DeadlineExceeded, CodeTimeout, "the request took too long"},
	{context.Canceled, CodeTimeout, "the request was given up"},
}

// problemOf turns any error into what the client may know of it.
func problemOf(err error) *Problem {
	var p *Problem
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		p = problem(CodeBodyTooLarge, fmt.Sprintf("the body exceeds %d bytes", tooLarge.Limit))
	default:
		p = translated(err)
	}
	p.cause = err
	return p
}

func translated(err error) *Problem {
	for _, t := range translations {
		if errors.Is(err, t.err) {
			return problem(t.code, t.detail)
		}
	}
	return problem(CodeInternal, "the server failed; the request id finds it in its log")
}

// retryAfter in seconds, by code; 0 says nothing.
func (p *Problem) retryAfter() string {
	switch p.Code {
	case CodeStoreUnavailable, CodeScorerUnavailable, CodeOverloaded, CodeShuttingDown, CodeNegotiationTimeout, CodeTimeout:
		return "5"
	case CodeRateLimited:
		return "1"
	}
	return ""
}

// write sends the problem.
func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="liveproof"`)
	}
	if s := p.retryAfter(); s != "" {
		h.Set("Retry-After", s)
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
