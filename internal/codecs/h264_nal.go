package codecs

import "bytes"

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

// annexB gives the NAL units between start codes, RFC 6184's Annex B byte stream.
func annexB(data []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		code := []byte{0, 0, 1}
		start := bytes.Index(data, code)
		for start >= 0 {
			data = data[start+len(code):]
			nal := data
			if start = bytes.Index(data, code); start >= 0 {
				nal = data[:start]
			}
			if !yield(nal) {
				return
			}
		}
	}
}

// unescape removes emulation prevention bytes (00 00 03) from at most the first enough bytes.
func unescape(nal []byte, enough int) []byte {
	nal = nal[:min(len(nal), enough)]
	if !bytes.Contains(nal, []byte{0, 0, 3}) {
		return nal
	}
	out := make([]byte, 0, len(nal))
	zeros := 0
	for _, b := range nal {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

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
