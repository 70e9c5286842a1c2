package rtc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/pion/ice/v4"

	"github.com/liveproof/liveproof/internal/check"
)

// maxCandidateBytes is far above any real candidate line.
const maxCandidateBytes = 1024

// A client names the addresses that this server sends connectivity checks to (ICE, RFC 8445). It must
// not make the server send to addresses that only the server's own machine, link or cloud can reach.

// specialRange is a range that no client's candidate has to lie in.
type specialRange struct {
	prefix netip.Prefix
	what   string
	// never says that allow_candidates cannot open it: nobody can be reached there by unicast.
	never bool
}

// specialRanges are of the IANA special-purpose registries (RFC 6890) and of cloud providers. Private,
// shared and unique local addresses are not among them: clients in the same network have such
// addresses. Nor are those for documentation, which nothing routes.
var specialRanges = []specialRange{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)", true},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122)", false},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local (RFC 3927)", false},
	{netip.MustParsePrefix("169.254.169.254/32"), "the metadata service of cloud providers", false},
	{netip.MustParsePrefix("169.254.170.2/32"), "the metadata service of Amazon ECS", false},
	{netip.MustParsePrefix("168.63.129.16/32"), "the metadata service of Azure", false},
	{netip.MustParsePrefix("100.100.100.200/32"), "the metadata service of Alibaba Cloud", false},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments (RFC 6890)", false},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay (RFC 7526)", false},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking (RFC 2544)", false},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)", true},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved and broadcast (RFC 1112, RFC 919)", true},
	{netip.MustParsePrefix("::/96"), "unspecified and IPv4-compatible (RFC 4291)", true},
	{netip.MustParsePrefix("::1/128"), "loopback (RFC 4291)", false},
	{netip.MustParsePrefix("64:ff9b::/96"), "IPv4 behind a translator (RFC 6052)", false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "IPv4 behind a translator (RFC 8215)", false},
	{netip.MustParsePrefix("100::/64"), "discard (RFC 6666)", true},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments, Teredo among them (RFC 2928, RFC 4380)", false},
	{netip.MustParsePrefix("2002::/16"), "6to4 (RFC 3056)", false},
	{netip.MustParsePrefix("5f00::/16"), "segment routing (RFC 9602)", false},
	{netip.MustParsePrefix("fd00:ec2::/32"), "the local services of Amazon EC2, its metadata among them", false},
	{netip.MustParsePrefix("fd20:ce::254/128"), "the metadata service of Google Cloud", false},
	{netip.MustParsePrefix("fe80::/10"), "link-local (RFC 4291)", false},
	{netip.MustParsePrefix("fec0::/10"), "site-local (RFC 3879)", false},
	{netip.MustParsePrefix("ff00::/8"), "multicast (RFC 4291)", true},
}

// rangeOf is the narrowest special range that holds the address.
func rangeOf(a netip.Addr) (found specialRange, ok bool) {
	for _, r := range specialRanges {
		if r.prefix.Contains(a) && (!ok || r.prefix.Bits() > found.prefix.Bits()) {
			found, ok = r, true
		}
	}
	return found, ok
}

// checkRemote returns ErrBadCandidate for an address that this server must not send to: one in a
// special range, unless allow_candidates names it at least as narrowly as the range, so that
// link-local addresses can be allowed without the metadata service that lies among them.
// Loopback is allowed when the server itself uses it.
func (c Config) checkRemote(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	special, ok := rangeOf(a)
	if !ok || a.IsLoopback() && c.usesLoopback() {
		return nil
	}
	for _, text := range c.AllowCandidates {
		p, err := netip.ParsePrefix(text)
		if err == nil && !special.never && p.Contains(a) && p.Bits() >= special.prefix.Bits() {
			return nil
		}
	}
	return fmt.Errorf("candidate for %v, %s: %w", a, special.what, ErrBadCandidate)
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
	for _, r := range specialRanges {
		if !r.never && r.prefix.Contains(p.Addr()) && p.Bits() >= r.prefix.Bits() {
			return true
		}
	}
	return false
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
