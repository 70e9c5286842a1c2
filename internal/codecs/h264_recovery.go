package codecs

// maxRecovery is the longest recovery in reference pictures that is waited for: 10 s at 30 pictures a second.
const maxRecovery = 300

// recoveryPoint is a recovery point SEI message (ITU-T H.264, D.1.8 and D.2.8).
type recoveryPoint struct {
	pictures uint32 // recovery_frame_cnt: after so many further reference pictures
	exact    bool   // exact_match_flag: the pictures are then exact, not only similar
	broken   bool   // broken_link_flag
}

// usable: a stream can be entered here, and every picture from the recovery point on is exact.
func (p recoveryPoint) usable() bool { return p.exact && !p.broken && p.pictures <= maxRecovery }

// recoveryHere is a NAL unit with the message "exact from this picture on".
var recoveryHere = []byte{0, 0, 0, 1, nalSEI, seiRecoveryPoint, 1, 0xc4, 0x80}

const seiRecoveryPoint = 6 // payloadType

// findRecoveryPoint reads the messages of an SEI NAL unit (ITU-T H.264, 7.3.2.3) up to the first recovery point.
func findRecoveryPoint(nal []byte) (point recoveryPoint, ok bool) {
	r := rbsp{rest: nal[1:]}
	for {
		kind, size := r.ffCoded(), r.ffCoded()
		if r.ended {
			return recoveryPoint{}, false
		}
		if kind == seiRecoveryPoint {
			return r.recoveryPoint(size)
		}
		r.skip(size)
	}
}

// rbsp reads a NAL unit's bytes without the emulation prevention bytes (00 00 03). After the end it gives zeros.
type rbsp struct {
	rest  []byte
	zeros int // before rest
	ended bool
}

func (r *rbsp) next() byte {
	if len(r.rest) > 0 && r.zeros >= 2 && r.rest[0] == 3 {
		r.rest, r.zeros = r.rest[1:], 0
	}
	if len(r.rest) == 0 {
		r.ended = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	if r.zeros++; b != 0 {
		r.zeros = 0
	}
	return b
}

// ffCoded is a payload type or size: bytes 0xff count 255 each, and the next byte is added.
func (r *rbsp) ffCoded() (n int) {
	for !r.ended {
		b := r.next()
		n += int(b)
		if b != 0xff {
			break
		}
	}
	return n
}

func (r *rbsp) skip(n int) {
	for range n {
		if r.next(); r.ended {
			return
		}
	}
}

func (r *rbsp) recoveryPoint(size int) (point recoveryPoint, ok bool) {
	var payload [8]byte // longer than any recovery point
	size = min(size, len(payload))
	for i := range payload[:size] {
		payload[i] = r.next()
	}
	b := bitReader{data: payload[:size]}
	point = recoveryPoint{pictures: b.ue(), exact: b.bits(1) == 1, broken: b.bits(1) == 1}
	return point, b.err == nil && !r.ended
}

// h264Recovery counts reference pictures from a recovery point on (H.264, D.2.8). B pictures may come after the
// recovery point in decoding order and before it in output order, and then refer to damaged ones; they count as exact
// only after a second picture that is none.
type h264Recovery struct {
	begun     bool
	left      uint32 // reference pictures until the recovery point
	reference bool   // the access unit before was one
	anchored  bool   // a picture at or after the recovery point was exact
}

func (r *h264Recovery) Next(unit []byte) (exact, done bool) {
	u := readRecovery(unit)
	if r.begun && r.reference && r.left > 0 {
		r.left--
	}
	if u.found && u.point.usable() && (!r.begun || u.point.pictures < r.left) {
		r.left = u.point.pictures
	}
	r.begun, r.reference = true, u.reference
	switch {
	case u.idr:
		return true, true
	case r.left > 0 || u.bidirectional:
		return false, false
	}
	done, r.anchored = r.anchored, true
	return true, done
}

// recoveryUnit is what an access unit says about recovery.
type recoveryUnit struct {
	idr, reference, bidirectional bool

	point recoveryPoint
	found bool
}

func readRecovery(unit []byte) (u recoveryUnit) {
	for nal := range annexB(unit) {
		if len(nal) < 2 {
			continue
		}
		switch kind := nal[0] & 0x1f; {
		case kind >= nalSlice && kind <= nalIDR:
			slice, ok := sliceType(nal)
			u.idr = u.idr || kind == nalIDR
			u.reference = u.reference || nal[0]&nalRefIDC != 0
			u.bidirectional = u.bidirectional || !ok || slice == sliceB
		case kind == nalSEI && !u.found:
			u.point, u.found = findRecoveryPoint(nal)
		}
	}
	return u
}
