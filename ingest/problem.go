package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// Problem is an RFC 9457 problem document; it is also the error that carries
// one through the handlers. Detail is for the client: it holds no internals.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   Code   `json:"code"`
	// Fault is who can correct it: integrator, network or server.
	Fault     liveproof.Fault `json:"fault"`
	Detail    string          `json:"detail,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	// Field is the member of the request body that is wrong.
	Field string `json:"field,omitempty"`

	cause error
	wait  time.Duration // until another try, if the error says it; else 0
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%s: %s", p.Code, p.Detail) }

// Unwrap gives the cause, which is logged and never sent.
func (p *Problem) Unwrap() error { return p.cause }

func problem(code Code, detail string) *Problem {
	about := codes[code]
	return &Problem{
		Type: "about:blank", Title: http.StatusText(about.status), Status: about.status,
		Code: code, Fault: about.fault, Detail: detail,
	}
}

func invalidField(field, detail string) *Problem {
	p := problem(CodeInvalidRequest, detail)
	p.Field = field
	return p
}

// problemOf turns any error into the problem that the client is told.
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
	if full := (*live.Refusal)(nil); errors.As(err, &full) {
		p.wait = full.RetryAfter
	}
	if errors.Is(err, rtc.ErrTooManyRestarts) {
		p.wait = rtc.RestartEvery
	}
	p.cause = err
	return p
}

func translated(err error) *Problem {
	for _, t := range translations {
		if !errors.Is(err, t.err) {
			continue
		}
		if said, ok := errors.AsType[*rtc.OfferError](err); ok {
			return problem(t.code, said.Detail)
		}
		return problem(t.code, t.detail)
	}
	return problem(CodeInternal, "the server failed; the request id finds it in its log")
}

// retryAfter is the value of Retry-After in seconds: the error's own, else that of the code; "" for no header.
func (p *Problem) retryAfter() string {
	if p.wait > 0 {
		return strconv.Itoa(int(p.wait.Seconds()))
	}
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
