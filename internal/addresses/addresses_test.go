package addresses

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "1.1.1.1": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.1.1": false, "0.0.0.0": false, "0.1.2.3": false, "255.255.255.255": false, "224.0.0.1": false, "168.63.129.16": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "fe80::1": false, "fd00::1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false,
		"::": false, "::7f00:1": false, "ff02::1": false, "2001:db8::1": false, "fe80::1%eth0": false, "2606:4700::1%eth0": false, "3fff::1": false,
	} {
		require.Equal(t, want, Public(netip.MustParseAddr(address)), address)
	}
	require.False(t, Public(netip.Addr{}))
}

// TestTheNarrowestRangeCounts: a metadata service among addresses that peers may have is no peer.
func TestTheNarrowestRangeCounts(t *testing.T) {
	for address, want := range map[string]string{
		"100.100.100.200": "the metadata service of Alibaba Cloud", "fd00:ec2::254": "the local services of Amazon EC2, its metadata among them",
		"169.254.169.254": "the metadata service of cloud providers", "::1": "loopback (RFC 4291)",
	} {
		found, reserved := Reserved(netip.MustParseAddr(address))
		require.True(t, reserved, address)
		require.Equal(t, want, found.What)
	}
	for _, address := range []string{"192.168.1.1", "100.64.0.1", "fd12::1", "192.0.2.1", "8.8.8.8"} {
		_, reserved := Reserved(netip.MustParseAddr(address))
		require.False(t, reserved, address)
	}
}

// FuzzPublic: what netip itself knows as special is never public, and no address is public and reserved.
func FuzzPublic(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "::1", "1.1.1.1", "fe80::1%x", "2606:4700::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := netip.ParseAddr(text)
		if err != nil || !Public(a) {
			return
		}
		_, reserved := Reserved(a)
		require.False(t, reserved)
		require.True(t, a.Unmap().IsGlobalUnicast() && !a.Unmap().IsPrivate(), text)
	})
}
