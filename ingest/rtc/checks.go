package rtc

import (
	"encoding/binary"
	"hash/maphash"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// checksPerSecond bounds the STUN packets that reach one session by its user fragment, and those of one
// address and port. The ICE mux keeps what its reader has not taken, without a bound, and each check is
// worth much more work to the reader than to its sender. An ICE session sends a few dozen a second.
const checksPerSecond = 500

// checkedConn is a UDP socket that drops STUN packets above the bound. One goroutine reads it.
type checkedConn struct {
	*net.UDPConn
	limit   *checkLimit
	refused prometheus.Counter
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (c *checkedConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil || !stun.IsMessage(b[:n]) || c.limit.allow(b[:n], from, time.Now()) {
			return n, from, err
		}
		c.refused.Inc()
	}
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c *checkedConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(b, to)
}

// checkLimit counts in windows of a second. Its size is fixed, whatever strangers send: keys share counters by a
// hash that nobody outside can predict.
type checkLimit struct {
	seed   maphash.Seed
	window time.Time
	counts [1 << 14]uint16
}

func newCheckLimit() *checkLimit { return &checkLimit{seed: maphash.MakeSeed()} }

// allow counts a STUN packet by where it comes from and, if it names one, by the session that it is for.
func (l *checkLimit) allow(packet []byte, from netip.AddrPort, now time.Time) bool {
	if now.Sub(l.window) >= time.Second {
		l.window = now
		clear(l.counts[:])
	}
	allowed := l.count(maphash.Comparable(l.seed, from))
	if session := localFragment(packet); allowed && session != nil {
		allowed = l.count(maphash.Bytes(l.seed, session))
	}
	return allowed
}

func (l *checkLimit) count(hash uint64) bool {
	n := &l.counts[hash%uint64(len(l.counts))]
	if *n >= checksPerSecond {
		return false
	}
	*n++
	return true
}

// localFragment is what stands before the colon in the first USERNAME of a STUN packet (RFC 8445, 7.1.2); nil without one.
func localFragment(packet []byte) []byte {
	const header, attribute = 20, 4 // bytes (RFC 8489, 5 and 14)
	for rest := packet[header:]; len(rest) >= attribute; {
		kind, length := stun.AttrType(binary.BigEndian.Uint16(rest)), int(binary.BigEndian.Uint16(rest[2:]))
		value := rest[attribute:]
		if length > len(value) {
			return nil
		}
		if kind == stun.AttrUsername {
			for i, b := range value[:length] {
				if b == ':' {
					return value[:i]
				}
			}
			return value[:length]
		}
		rest = value[min((length+3)&^3, len(value)):]
	}
	return nil
}
