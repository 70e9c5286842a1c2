// Package addresses knows which IP addresses only a machine itself, its link, its cloud or nobody can be reached by. A server that
// connects where a stranger says must not connect there.
package addresses

import "net/netip"

// Range is a range with a special purpose.
type Range struct {
	Prefix netip.Prefix
	What   string
	// Unreachable: nobody can be reached there by unicast.
	Unreachable bool
	// Peers: others in the same network may have such addresses, or nothing routes them, so that a client's own address may be
	// among them. On the internet there is no such address.
	Peers bool
}

// ranges are of the IANA special-purpose registries (RFC 6890) and of cloud providers.
var ranges = []Range{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)", true, false},
	{netip.MustParsePrefix("10.0.0.0/8"), "private (RFC 1918)", false, true},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by the customers of a provider (RFC 6598)", false, true},
	{netip.MustParsePrefix("100.100.100.200/32"), "the metadata service of Alibaba Cloud", false, false},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122)", false, false},
	{netip.MustParsePrefix("168.63.129.16/32"), "the metadata service of Azure", false, false},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local (RFC 3927)", false, false},
	{netip.MustParsePrefix("169.254.169.254/32"), "the metadata service of cloud providers", false, false},
	{netip.MustParsePrefix("169.254.170.2/32"), "the metadata service of Amazon ECS", false, false},
	{netip.MustParsePrefix("172.16.0.0/12"), "private (RFC 1918)", false, true},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments (RFC 6890)", false, false},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation (RFC 5737)", false, true},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay (RFC 7526)", false, false},
	{netip.MustParsePrefix("192.168.0.0/16"), "private (RFC 1918)", false, true},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking (RFC 2544)", false, false},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation (RFC 5737)", false, true},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation (RFC 5737)", false, true},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)", true, false},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved and broadcast (RFC 1112, RFC 919)", true, false},
	{netip.MustParsePrefix("::/96"), "unspecified and IPv4-compatible (RFC 4291)", true, false},
	{netip.MustParsePrefix("::1/128"), "loopback (RFC 4291)", false, false},
	{netip.MustParsePrefix("64:ff9b::/96"), "IPv4 behind a translator (RFC 6052)", false, false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "IPv4 behind a translator (RFC 8215)", false, false},
	{netip.MustParsePrefix("100::/64"), "discard (RFC 6666)", true, false},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments, Teredo among them (RFC 2928, RFC 4380)", false, false},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation (RFC 3849)", false, true},
	{netip.MustParsePrefix("2002::/16"), "6to4 (RFC 3056)", false, false},
	{netip.MustParsePrefix("3fff::/20"), "documentation (RFC 9637)", false, true},
	{netip.MustParsePrefix("5f00::/16"), "segment routing (RFC 9602)", false, false},
	{netip.MustParsePrefix("fc00::/7"), "unique local (RFC 4193)", false, true},
	{netip.MustParsePrefix("fd00:ec2::/32"), "the local services of Amazon EC2, its metadata among them", false, false},
	{netip.MustParsePrefix("fd20:ce::254/128"), "the metadata service of Google Cloud", false, false},
	{netip.MustParsePrefix("fe80::/10"), "link-local (RFC 4291)", false, false},
	{netip.MustParsePrefix("fec0::/10"), "site-local (RFC 3879)", false, false},
	{netip.MustParsePrefix("ff00::/8"), "multicast (RFC 4291)", true, false},
}

// Special is the narrowest range with a special purpose that holds the address; ok is false for an address on the internet. An IPv4
// address in IPv6 (::ffff:0:0/96) counts as IPv4, and zones do not count.
func Special(a netip.Addr) (found Range, ok bool) {
	a = a.Unmap().WithZone("")
	for _, r := range ranges {
		if r.Prefix.Contains(a) && (!ok || r.Prefix.Bits() > found.Prefix.Bits()) {
			found, ok = r, true
		}
	}
	return found, ok
}

// Reserved is Special without the ranges in which a peer in the same network may be.
func Reserved(a netip.Addr) (Range, bool) {
	r, ok := Special(a)
	return r, ok && !r.Peers
}

// Holding are the ranges that hold the whole prefix, those of peers left out.
func Holding(p netip.Prefix) (found []Range) {
	for _, r := range ranges {
		if !r.Peers && r.Prefix.Contains(p.Addr()) && p.Bits() >= r.Prefix.Bits() {
			found = append(found, r)
		}
	}
	return found
}

// Public reports whether somebody on the internet can have the address.
func Public(a netip.Addr) bool {
	_, special := Special(a)
	return a.IsValid() && a.Zone() == "" && !special
}
