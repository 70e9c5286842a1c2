package injection

import (
	"context"
	"sync"

	"github.com/liveproof/liveproof"
)

// Attestor verifies what a client states about itself, such as an app attestation of its platform.
type Attestor interface {
	// Attest reports whether the statement proves that the session's client is one that the operator trusts. statement is
	// opaque and untrusted, at most liveproof.MaxAttestation bytes, and never empty. An error says that nobody knows.
	Attest(ctx context.Context, id liveproof.SessionID, statement string) (verified bool, err error)
}

// attested is what is known of a statement.
type attested int

const (
	attestedUnknown attested = iota // no statement, no answer yet, or none that could be had
	attestedTrue
	attestedFalse
)

// attestation asks the attestor once, for the first statement that came.
type attestation struct {
	cfg      AttestationConfig
	attestor Attestor
	id       liveproof.SessionID
	count    func(result string)

	mu     sync.Mutex
	asked  bool
	answer attested
}

func newAttestation(cfg AttestationConfig, attestor Attestor, id liveproof.SessionID, count func(string)) *attestation {
	return &attestation{cfg: cfg, attestor: attestor, id: id, count: count}
}

// result is what is known so far. The first call with a statement begins to verify it and does not wait.
func (a *attestation) result(ctx context.Context, statement string) attested {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.asked && statement != "" {
		a.asked = true
		go a.ask(context.WithoutCancel(ctx), statement)
	}
	return a.answer
}

// ask ends with the attestor's answer, or after the timeout.
func (a *attestation) ask(ctx context.Context, statement string) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	verified, err := a.attestor.Attest(ctx, a.id, statement)
	answer, label := attestedUnknown, "failed"
	switch {
	case err != nil:
	case verified:
		answer, label = attestedTrue, "verified"
	default:
		answer, label = attestedFalse, "refused"
	}
	a.count(label)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}
