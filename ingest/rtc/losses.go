package rtc

// maxSkip is the largest step between two sequence numbers of one stream; after a larger one, counting begins anew.
const maxSkip = 3000

// losses counts what is missing among a stream's packets as RFC 3550, A.3 does: a packet that comes twice hides one that is lost, and
// one that comes late counts as lost only in the interval in which it was missing.
type losses struct {
	begun              bool
	newest             uint16
	expected, received int // since take
}

func (l *losses) observe(sequence uint16) {
	ahead := int(int16(sequence - l.newest))
	switch {
	case !l.begun || ahead > maxSkip || ahead < -maxSkip:
		l.begun, l.newest = true, sequence
		l.expected++
	case ahead > 0:
		l.newest = sequence
		l.expected += ahead
	}
	l.received++
}

// take returns the counts and begins the next interval.
func (l *losses) take() (expected, lost int) {
	expected, lost = l.expected, max(0, l.expected-l.received)
	l.expected, l.received = 0, 0
	return expected, lost
}
