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

// findRecoveryPoint reads the messages of an SEI NAL unit up to the first recovery point.
func findRecoveryPoint(nal []byte) (point recoveryPoint, ok bool) {
	for kind, payload := range SEIMessages(nal, 1) {
		if kind == seiRecoveryPoint {
			b := bitReader{data: payload}
			point = recoveryPoint{pictures: b.ue(), exact: b.bits(1) == 1, broken: b.bits(1) == 1}
			return point, b.err == nil
		}
	}
	return recoveryPoint{}, false
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
	for nal := range NALUnits(unit, 0) {
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
