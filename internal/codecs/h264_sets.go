package codecs

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// maxParameterSets bounds what is kept of a stream's parameter sets, in bytes.
const maxParameterSets = 16 << 10

// h264Sets remembers an H.264 stream's sequence and picture parameter
// sets: senders need not repeat them before every IDR picture, and a decoder
// that was reopened after a loss has not seen the earlier ones.
type h264Sets struct {
	sets []h264Set // sequence parameter sets first: picture parameter sets refer to them
	size int
}

// h264Set is one parameter set. A later one of the same kind and id replaces it.
type h264Set struct {
	kind   byte // nalSPS or nalPPS
	id     uint32
	single bool // of an SPS: it allows one reference frame at most, and no fields
	nal    []byte
}

// Learn keeps the parameter sets of an Annex B access unit and reports whether it
// brought a sequence parameter set, and whether it holds any coded slice.
func (p *h264Sets) Learn(unit []byte) (hasSPS, hasSlice bool) {
	for nal := range NALUnits(unit, 0) {
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

// keep adds a parameter set or replaces the one of its id. When a sender sends too many, all earlier ones are dropped.
func (p *h264Sets) keep(nal []byte) {
	set, ok := readSet(nal)
	if !ok || len(nal) > maxParameterSets {
		return
	}
	if at := slices.IndexFunc(p.sets, func(s h264Set) bool { return s.kind == set.kind && s.id == set.id }); at >= 0 {
		if bytes.Equal(p.sets[at].nal, nal) {
			return
		}
		p.size -= len(p.sets[at].nal)
		p.sets = slices.Delete(p.sets, at, at+1)
	}
	if p.size+len(nal) > maxParameterSets {
		p.sets, p.size = nil, 0
	}
	set.nal = bytes.Clone(nal)
	p.size += len(nal)
	p.sets = append(p.sets, set)
	slices.SortStableFunc(p.sets, func(a, b h264Set) int { return int(a.kind) - int(b.kind) })
}

// unreadable is the id of a set without a valid one. The decoder refuses it, and it must not replace a valid set.
const unreadable = 1 << 16

// readSet reads the id of a parameter set (ITU-T H.264, 7.3.2.1.1 and 7.3.2.2); ok is false for another NAL unit.
func readSet(nal []byte) (set h264Set, ok bool) {
	if len(nal) < 2 {
		return set, false
	}
	switch nal[0] & 0x1f {
	case nalSPS:
		set = h264Set{kind: nalSPS, id: unreadable}
		if s, valid := readSPS(nal); valid && s.id <= lastSPS {
			set.id, set.single = s.id, s.references <= 1 && s.framesOnly
		}
		return set, true
	case nalPPS:
		set = h264Set{kind: nalPPS, id: unreadable}
		r := bitReader{data: unescape(nal[1:], 8)}
		if id := r.ue(); r.err == nil && id <= lastPPS {
			set.id = id
		}
		return set, true
	}
	return set, false
}

// complete reports whether there are sets of both kinds.
func (p *h264Sets) complete() bool {
	return len(p.sets) > 1 && p.sets[0].kind == nalSPS && p.sets[len(p.sets)-1].kind == nalPPS
}

// singleReference reports whether, whichever set is in use, a stored reference picture replaces all before it.
func (p *h264Sets) singleReference() bool {
	return len(p.sets) > 0 && !slices.ContainsFunc(p.sets, func(s h264Set) bool { return s.kind == nalSPS && !s.single })
}

// Prepend returns unit with the known parameter sets in front.
func (p *h264Sets) Prepend(unit []byte) []byte {
	out := make([]byte, 0, p.size+4*len(p.sets)+len(unit))
	for _, set := range p.sets {
		out = append(append(out, 0, 0, 0, 1), set.nal...)
	}
	return append(out, unit...)
}

// spropParameterSets are the NAL units of sprop-parameter-sets in an H.264 a=fmtp line: base64, separated by commas
// (RFC 6184, 8.1). What is no parameter set is left out.
func spropParameterSets(fmtp string) (sets [][]byte) {
	for parameter := range strings.SplitSeq(fmtp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "sprop-parameter-sets") {
			continue
		}
		for text := range strings.SplitSeq(value, ",") {
			nal, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
			if err != nil {
				continue
			}
			if _, ok := readSet(nal); ok {
				sets = append(sets, nal)
			}
		}
	}
	return sets
}
