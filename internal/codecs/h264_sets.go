package codecs

import "bytes"

// maxParameterSets bounds what is kept of a stream's parameter sets, in bytes.
const maxParameterSets = 16 << 10

// h264Sets remembers an H.264 stream's sequence and picture parameter
// sets: senders need not repeat them before every IDR picture, and a decoder
// that was reopened after a loss has not seen the earlier ones.
type h264Sets struct {
	nals [][]byte
	size int
}

// Learn keeps the parameter sets of an Annex B access unit and reports whether it
// brought a sequence parameter set, and whether it holds any coded slice.
func (p *h264Sets) Learn(unit []byte) (hasSPS, hasSlice bool) {
	for nal := range annexB(unit) {
		if len(nal) == 0 {
			continue
		}
		switch kind := nal[0] & 0x1f; {
		case kind >= nalSlice && kind <= nalIDR:
			hasSlice = true
		case kind == nalSPS, kind == nalPPS:
			hasSPS = hasSPS || kind == nalSPS
			p.keep(bytes.TrimRight(nal, "\x00"))
		}
	}
	return hasSPS, hasSlice
}

// keep adds a parameter set that is not there yet; a sender with too many starts over.
func (p *h264Sets) keep(nal []byte) {
	for i, old := range p.nals {
		if bytes.Equal(old, nal) { // the newest of one identity must come last
			p.nals = append(append(p.nals[:i], p.nals[i+1:]...), old)
			return
		}
	}
	if p.size += len(nal); p.size > maxParameterSets {
		p.nals, p.size = nil, len(nal)
	}
	if p.size <= maxParameterSets {
		p.nals = append(p.nals, bytes.Clone(nal))
	}
}

// Prepend returns unit with the known parameter sets in front.
func (p *h264Sets) Prepend(unit []byte) []byte {
	var out []byte
	for _, nal := range p.nals {
		out = append(append(out, 0, 0, 0, 1), nal...)
	}
	return append(out, unit...)
}
