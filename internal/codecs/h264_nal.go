package codecs

// NAL unit types (ITU-T H.264, table 7-1).
const (
	nalSlice     = 1
	nalPartition = 2
	nalIDR       = 5
	nalSEI       = 6
	nalSPS       = 7
	nalPPS       = 8
	nalAUD       = 9
	nalFiller    = 12
	nalPrefix    = 14 // to nalPrefixEnd: a prefix, a subset of parameters, reserved
	nalPrefixEnd = 18

	nalRefIDC = 0x60 // nal_ref_idc in a NAL unit's first byte; 0: no picture refers to the unit
)

// slice_type modulo 5 (ITU-T H.264, table 7-6).
const (
	sliceP  = 0
	sliceB  = 1
	sliceI  = 2
	sliceSP = 3
	sliceSI = 4
)

// The largest ids of parameter sets (ITU-T H.264, 7.4.2.1 and 7.4.2.2).
const lastSPS, lastPPS = 31, 255

// sliceType reads slice_type modulo 5 of a slice (ITU-T H.264, 7.3.3); ok is false where the header ends early.
func sliceType(nal []byte) (kind uint32, ok bool) {
	const enough = 12 // two Exp-Golomb codes
	r := bitReader{data: unescape(nal[1:], enough)}
	r.ue() // first_mb_in_slice
	kind = r.ue() % 5
	return kind, r.err == nil
}

func isIntraSlice(nal []byte) bool {
	kind, ok := sliceType(nal)
	return ok && kind == sliceI
}

// H264Unit is what an access unit of H.264 (Annex B) says about its encoder.
type H264Unit struct {
	// Bidirectional: it has a B slice, which refers to later pictures or to two at once.
	Bidirectional bool
	// UserData is the first user_data_unregistered message (ITU-T H.264, D.1.7): a UUID of 16 bytes and what follows; nil
	// without one.
	UserData []byte
}

// InspectH264 reads an access unit.
func InspectH264(unit []byte) (u H264Unit) {
	const userDataUnregistered = 5
	for nal := range NALUnits(unit, 0) {
		if len(nal) < 2 {
			continue
		}
		switch nal[0] & 0x1f {
		case nalSlice:
			kind, ok := sliceType(nal)
			u.Bidirectional = u.Bidirectional || ok && kind == sliceB
		case nalSEI:
			for kind, payload := range SEIMessages(nal, 1) {
				if kind == userDataUnregistered && u.UserData == nil {
					u.UserData = payload
				}
			}
		}
	}
	return u
}
