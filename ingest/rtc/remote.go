package rtc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/pion/ice/v4"

	"github.com/liveproof/liveproof/internal/addresses"
	"github.com/liveproof/liveproof/internal/check"
)

// maxCandidateBytes is far above any real candidate line.
const maxCandidateBytes = 1024

// A client names the addresses that this server sends connectivity checks to (ICE, RFC 8445). It must
// not make the server send to addresses that only the server's own machine, link or cloud can reach.

// Package addresses has the list. Private, shared and unique local addresses are accepted, because clients in the same network have
// such addresses, and so are those for documentation, which nothing routes.

// checkRemote returns ErrBadCandidate for an address that this server must not send to: one in a
// special range, unless allow_candidates names it at least as narrowly as the range, so that
// link-local addresses can be allowed without the metadata service that lies among them.
// Loopback is allowed when the server itself uses it.
func (c Config) checkRemote(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	special, ok := addresses.Reserved(a)
	if !ok || a.IsLoopback() && c.usesLoopback() {
		return nil
	}
	for _, text := range c.AllowCandidates {
		p, err := netip.ParsePrefix(text)
		if err == nil && !special.Unreachable && p.Contains(a) && p.Bits() >= special.Prefix.Bits() {
			return nil
		}
	}
	return fmt.Errorf("candidate for %v, %s: %w", a, special.What, ErrBadCandidate)
}

// keepsRemote is checkRemote for pion, which asks it about peer-reflexive candidates too: the
// source of a packet can be forged.
func (c Config) keepsRemote(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && c.checkRemote(a) == nil
}

// validateRemote checks that every entry of allow_candidates can allow something.
func (c Config) validateRemote() error {
	var errs []error
	for _, text := range c.AllowCandidates {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			errs = append(errs, check.That("allow_candidates", false, "%q is not a CIDR such as 169.254.0.0/16", text))
			continue
		}
		errs = append(errs, check.That("allow_candidates", opens(p),
			"%q allows nothing: it must lie in a special-purpose range, such as 169.254.0.0/16 or fe80::/10", text))
	}
	return errors.Join(errs...)
}

func opens(p netip.Prefix) bool {
	return slices.ContainsFunc(addresses.Holding(p), func(r addresses.Range) bool { return !r.Unreachable })
}

// checkCandidate refuses what is no candidate (RFC 8839, 5.1) or would make this server send where
// it must not. A name (mDNS) is accepted and never looked up: see newSettings.
func (c Config) checkCandidate(value string) error {
	value = strings.TrimPrefix(value, "candidate:")
	if len(value) > maxCandidateBytes {
		return fmt.Errorf("candidate of %d bytes: %w", len(value), ErrBadCandidate)
	}
	candidate, err := ice.UnmarshalCandidate(value)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadCandidate, err)
	}
	if a, err := netip.ParseAddr(candidate.Address()); err == nil {
		return c.checkRemote(a)
	}
	return nil
}
