package ingest

import (
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

const (
	tokenIssuer   = "liveproof"
	maxTokenBytes = 2048
)

// purpose is what a token is good for. Its audience keeps it from every other use.
type purpose struct{ audience, name string }

var (
	clientTokens = purpose{"liveproof:connect", "client token"}
	readTokens   = purpose{"liveproof:read", "read token"}
	handovers    = purpose{"liveproof:handover", "handover token"}
)

// tokens signs and checks tokens of one purpose: JWTs (RFC 7519) with HS256, bound to
// one session by their subject. That a client token opens a single connection is the
// store's knowledge (Sessions.Claim), for it must hold across servers.
type tokens struct {
	secret []byte
	purpose
	now  func() time.Time
	live *jwt.Parser // refuses an expired token
	any  *jwt.Parser // checks everything but the time
}

func newTokens(secret string, p purpose, now func() time.Time) *tokens {
	common := []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(tokenIssuer), jwt.WithAudience(p.audience),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(now),
	}
	return &tokens{
		secret: []byte(secret), purpose: p, now: now,
		live: jwt.NewParser(append(slices.Clip(common), jwt.WithExpirationRequired())...),
		any:  jwt.NewParser(append(slices.Clip(common), jwt.WithoutClaimsValidation())...),
	}
}

// issue returns a new token for id, which is good until expires.
func (t *tokens) issue(id liveproof.SessionID, expires time.Time) (string, error) {
	return t.issueAs(id, ids.New(t.now()), expires)
}

// issueAs is issue with a token id (jti) that is known already.
func (t *tokens) issueAs(id liveproof.SessionID, tokenID string, expires time.Time) (string, error) {
	claims := jwt.RegisteredClaims{
		Issuer: tokenIssuer, Audience: jwt.ClaimStrings{t.audience},
		Subject: string(id), ID: tokenID,
		IssuedAt: jwt.NewNumericDate(t.now()), ExpiresAt: jwt.NewNumericDate(expires),
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.secret)
}

// verify returns the token's id (jti) when it is signed by us, alive and for this session.
func (t *tokens) verify(raw string, id liveproof.SessionID) (tokenID string, err error) {
	return t.check(t.live, raw, id)
}

// verifyConnected is verify for the connection that the token opened: it stays
// valid for as long as that connection lives. The caller compares the id.
func (t *tokens) verifyConnected(raw string, id liveproof.SessionID) (tokenID string, err error) {
	return t.check(t.any, raw, id)
}

func (t *tokens) check(parser *jwt.Parser, raw string, id liveproof.SessionID) (string, error) {
	if raw == "" {
		return "", problem(CodeUnauthorized, "a "+t.name+" is needed")
	}
	if len(raw) > maxTokenBytes {
		return "", problem(CodeTokenInvalid, "the "+t.name+" is not valid")
	}
	var c jwt.RegisteredClaims
	_, err := parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return t.secret, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "", problem(CodeTokenExpired, "the "+t.name+" has expired")
	case err != nil, c.ID == "", len(c.ID) > 64, c.Issuer != tokenIssuer, !slices.Contains(c.Audience, t.audience):
		return "", problem(CodeTokenInvalid, "the "+t.name+" is not valid")
	case subtle.ConstantTimeCompare([]byte(c.Subject), []byte(id)) != 1:
		return "", problem(CodeTokenWrongSession, "the "+t.name+" belongs to another session")
	}
	return c.ID, nil
}
