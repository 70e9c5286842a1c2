package ingest

import (
	"context"

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
	CodeSessionRunning       Code = "session_running"
	CodeResultsOff           Code = "results_off"
	CodePreconditionFailed   Code = "precondition_failed"
	CodeBodyTooLarge         Code = "body_too_large"
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	CodeIdempotencyMismatch  Code = "idempotency_mismatch"
	CodeSDPInvalid           Code = "sdp_invalid"
	CodeTooManyTracks        Code = "too_many_tracks"
	CodeICERestart           Code = "ice_restart_unsupported" // of version 0.1; not sent any more
	CodeHostUnknown          Code = "host_unknown"
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

// codes has the HTTP status of each code, and who can correct the problem.
var codes = map[Code]struct {
	status int
	fault  liveproof.Fault
}{
	CodeInvalidRequest:       {400, liveproof.FaultIntegrator},
	CodeSDPInvalid:           {400, liveproof.FaultIntegrator},
	CodeUnauthorized:         {401, liveproof.FaultIntegrator},
	CodeTokenInvalid:         {401, liveproof.FaultIntegrator},
	CodeTokenExpired:         {401, liveproof.FaultIntegrator},
	CodeTokenWrongSession:    {401, liveproof.FaultIntegrator},
	CodeOriginForbidden:      {403, liveproof.FaultIntegrator},
	CodeSessionNotFound:      {404, liveproof.FaultIntegrator},
	CodeNotFound:             {404, liveproof.FaultIntegrator},
	CodeResultsOff:           {404, liveproof.FaultServer},
	CodeMethodNotAllowed:     {405, liveproof.FaultIntegrator},
	CodeTokenUsed:            {409, liveproof.FaultIntegrator},
	CodeSessionConflict:      {409, liveproof.FaultIntegrator},
	CodeSessionRunning:       {409, liveproof.FaultIntegrator},
	CodePreconditionFailed:   {412, liveproof.FaultIntegrator},
	CodeBodyTooLarge:         {413, liveproof.FaultIntegrator},
	CodeUnsupportedMediaType: {415, liveproof.FaultIntegrator},
	CodeHostUnknown:          {421, liveproof.FaultIntegrator},
	CodeIdempotencyMismatch:  {422, liveproof.FaultIntegrator},
	CodeTooManyTracks:        {422, liveproof.FaultIntegrator},
	CodeICERestart:           {422, liveproof.FaultIntegrator},
	CodeUpgradeRequired:      {426, liveproof.FaultIntegrator},
	CodePreconditionRequired: {428, liveproof.FaultIntegrator},
	CodeRateLimited:          {429, liveproof.FaultIntegrator},
	CodeInternal:             {500, liveproof.FaultServer},
	CodeStoreUnavailable:     {503, liveproof.FaultServer},
	CodeScorerUnavailable:    {503, liveproof.FaultServer},
	CodeOverloaded:           {503, liveproof.FaultServer},
	CodeShuttingDown:         {503, liveproof.FaultServer},
	CodeNegotiationTimeout:   {504, liveproof.FaultNetwork},
	CodeTimeout:              {504, liveproof.FaultNetwork},
	CodeProtocolError:        {400, liveproof.FaultIntegrator},
}

// translations say what the client is told of an error. The first row that
// matches counts. Errors become problems here and nowhere else; the code says
// whose fault it is.
var translations = []struct {
	err    error
	code   Code
	detail string
}{
	// The client's fault.
	{liveproof.ErrNotFound, CodeSessionNotFound, "no such session, or it has expired"},
	{liveproof.ErrTokenUsed, CodeTokenUsed, "the client token has opened its one connection already"},
	{liveproof.ErrConflict, CodeSessionConflict, "the session has a connection or has ended"},
	{liveproof.ErrDecided, CodeSessionConflict, "the session has a connection or has ended"},
	{liveproof.ErrIdempotencyMismatch, CodeIdempotencyMismatch, "the Idempotency-Key was used with another request body"},
	{rtc.ErrTooManyTracks, CodeTooManyTracks, "more than one video or audio track is sent"},
	{rtc.ErrBadSDP, CodeSDPInvalid, "the session description cannot be used"}, // an *rtc.OfferError says why
	{rtc.ErrOtherICESession, CodePreconditionFailed, "If-Match names another ICE session; use the ETag of the 201, or of the last 200 to a PATCH"},
	{rtc.ErrTooManyRestarts, CodeRateLimited, "too many ICE restarts in a short time"},
	{rtc.ErrTooManyCandidates, CodeProtocolError, "too many ICE candidates"},
	{live.ErrRenegotiation, CodeProtocolError, "the offer was made already; a later one may only restart ICE: new ICE credentials, with the same media sections and the same DTLS fingerprint"},
	// The fault of the server, the store or the scorer. The store's error comes
	// before any timeout, because the store's calls have deadlines too.
	{errNotAdmitted, CodeScorerUnavailable, "the scorer is not ready"},
	{live.ErrDraining, CodeShuttingDown, "the server is shutting down; another one will answer"},
	{liveproof.ErrOverloaded, CodeOverloaded, "no capacity for another session now"},
	{liveproof.ErrUnavailable, CodeStoreUnavailable, "the session store does not answer now"},
	// The fault of the network between client and server.
	{live.ErrNegotiation, CodeNegotiationTimeout, "the connection could not be negotiated in time"},
	{liveproof.ErrDisconnected, CodeSessionConflict, "the connection has ended"},
	// No particular fault: the request took too long, or its client left.
	{context.DeadlineExceeded, CodeTimeout, "the request took too long"},
	{context.Canceled, CodeTimeout, "the request was given up"},
}
