package codecs

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/liveproof/liveproof"
)

var h264 = Format{
	Name:               liveproof.CodecH264,
	FMTP:               h264FMTP(),
	NewDepacketizer:    func(fmtp string) Depacketizer { return newH264Depacketizer(fmtp) },
	FFmpegName:         "h264",
	Decoder:            "h264",
	Reorders:           true,
	Size:               h264Size,
	SizeInFile:         h264SizeInFile,
	NewParameterSets:   func() ParameterSets { return &h264Sets{} },
	NewQuantiserReader: newH264Quantiser,
	NewRecovery:        func() Recovery { return &h264Recovery{} },
}

// h264Profiles are profile_idc and constraint flags as browsers, phones and
// encoders offer them (RFC 6184, 8.1): baseline, constrained baseline (two
// spellings), main (two), high, constrained high, high 4:4:4.
var h264Profiles = [...]string{"4200", "42e0", "42c0", "4d00", "4d40", "6400", "640c", "f400"}

func h264FMTP() (out []string) {
	for _, profile := range h264Profiles {
		for _, mode := range []int{1, 0} {
			out = append(out, fmt.Sprintf("level-asymmetry-allowed=1;packetization-mode=%d;profile-level-id=%s1f", mode, profile))
		}
	}
	return out
}

// Packet types (RFC 6184, table 1).
const (
	nalMax   = 23 // up to here a packet is one NAL unit
	nalSTAPA = 24
	nalFUA   = 28

	maxHeld = 64 << 10 // bytes of parameter sets kept for the next picture
)

// h264Depacketizer implements RFC 6184, packetization modes 0 and 1, into Annex
// B with four-byte start codes. pion's depacketizer is not used because
// incomplete payloads must be refused: fragments without their start or end,
// aggregates with a remainder.
type h264Depacketizer struct {
	data     []byte
	held     int  // bytes at the start of data that came before this picture: parameter sets
	nal      int  // where the NAL unit under way begins in data
	fragment byte // its type, 0 for none
	picture  h264Picture
	sets     h264Sets
	inBand   bool // parameter sets have come in packets, not only in SDP
}

// h264Picture is what the NAL units of one access unit say about it.
type h264Picture struct {
	slices    bool
	idr       bool
	intra     bool // it has slices, and all of them are I slices
	reference bool // it has slices that later pictures may refer to
	recovery  bool // a recovery point that can be used
	sps, pps  bool
	needed    bool // later pictures need something of it
}

// newH264Depacketizer knows the parameter sets that the sender's SDP gave.
func newH264Depacketizer(fmtp string) *h264Depacketizer {
	d := &h264Depacketizer{}
	for _, nal := range spropParameterSets(fmtp) {
		d.sets.keep(nal)
	}
	return d
}

// Starts: in an access unit no slice comes before these NAL units, or its first slice (H.264, 7.4.1.2.3). An access
// unit delimiter comes first of all; no parameter set that matters comes before a sequence parameter set.
func (d *h264Depacketizer) Starts(payload []byte) Start {
	nal := h264FirstNAL(payload)
	if len(nal) == 0 {
		return StartUnknown
	}
	switch kind := nal[0] & 0x1f; {
	case kind == nalAUD, kind == nalSPS:
		return StartOfUnit
	case kind == nalSEI, kind == nalPPS, kind >= nalPrefix && kind <= nalPrefixEnd:
		return StartOfPicture
	case kind == nalSlice || kind == nalPartition || kind == nalIDR:
		if len(nal) > 1 && nal[1]&0x80 != 0 { // first_mb_in_slice is 0
			return StartOfPicture
		}
	}
	return StartUnknown
}

// h264FirstNAL is the beginning of the first NAL unit in a packet, nil where another packet holds it. Of a
// fragmented one its type and, after it, its content are right, nal_ref_idc is not.
func h264FirstNAL(payload []byte) []byte {
	switch kind := payload[0] & 0x1f; {
	case kind == nalSTAPA && len(payload) > 3:
		return payload[3:]
	case kind == nalFUA && len(payload) > 2 && payload[1]&0x80 != 0:
		return payload[1:]
	case kind <= nalMax:
		return payload
	}
	return nil
}

func (d *h264Depacketizer) Reset() {
	if d.held == 0 {
		d.picture = h264Picture{}
	}
	d.data, d.held = d.data[:d.held], 0
	d.fragment = 0
}

func (d *h264Depacketizer) Forget() {
	d.held = 0
	d.Reset()
}

func (d *h264Depacketizer) Add(payload []byte) error {
	kind := payload[0] & 0x1f
	if d.fragment != 0 && kind != nalFUA {
		return ErrMalformed
	}
	switch {
	case kind >= nalSlice && kind <= nalMax:
		d.addNAL(payload)
		return nil
	case kind == nalSTAPA:
		return d.addAggregate(payload[1:])
	case kind == nalFUA:
		return d.addFragment(payload)
	}
	return ErrMalformed
}

func (d *h264Depacketizer) addAggregate(rest []byte) error {
	for len(rest) > 0 {
		if len(rest) < 3 {
			return ErrMalformed
		}
		size := int(binary.BigEndian.Uint16(rest))
		rest = rest[2:]
		if size == 0 || size > len(rest) || rest[0]&0x1f == 0 || rest[0]&0x1f > nalMax {
			return ErrMalformed
		}
		d.addNAL(rest[:size])
		rest = rest[size:]
	}
	return nil
}

func (d *h264Depacketizer) addFragment(payload []byte) error {
	if len(payload) < 3 {
		return ErrMalformed
	}
	kind, first, last := payload[1]&0x1f, payload[1]&0x80 != 0, payload[1]&0x40 != 0
	if kind == 0 || kind > nalMax || first && last || first != (d.fragment == 0) || !first && kind != d.fragment {
		return ErrMalformed
	}
	if first {
		d.fragment = kind
		d.data = append(d.data, 0, 0, 0, 1, payload[0]&0xe0|kind)
		d.nal = len(d.data) - 1
	}
	d.data = append(d.data, payload[2:]...)
	if last {
		d.fragment = 0
		d.note(d.data[d.nal:])
	}
	return nil
}

func (d *h264Depacketizer) addNAL(nal []byte) {
	d.note(nal)
	d.data = append(d.data, 0, 0, 0, 1)
	d.data = append(d.data, nal...)
}

// note updates what is known of the picture by a whole NAL unit.
func (d *h264Depacketizer) note(nal []byte) {
	p := &d.picture
	p.needed = p.needed || !h264Discardable(nal[0])
	switch kind := nal[0] & 0x1f; {
	case kind >= nalSlice && kind <= nalIDR:
		p.intra = isIntraSlice(nal) && (p.intra || !p.slices)
		p.slices = true
		p.idr = p.idr || kind == nalIDR
		p.reference = p.reference || nal[0]&nalRefIDC != 0
	case kind == nalSEI:
		point, ok := findRecoveryPoint(nal)
		p.recovery = p.recovery || ok && point.usable()
	case kind == nalSPS, kind == nalPPS:
		d.inBand = true
		d.sets.keep(nal)
		p.sps, p.pps = p.sps || kind == nalSPS, p.pps || kind == nalPPS
	}
}

// h264Discardable reports, by its first byte, whether no later picture needs a NAL unit. The
// slices of one picture are all references or none of them is (ITU-T H.264, 7.4.1).
func h264Discardable(header byte) bool {
	switch header & 0x1f {
	case nalSlice:
		return header&nalRefIDC == 0
	case nalSEI, nalAUD, nalFiller:
		return true
	}
	return false
}

// Finish holds back parameter sets that come with their own marker or
// timestamp: they belong to the next picture.
func (d *h264Depacketizer) Finish(spare []byte) (Unit, error) {
	if d.fragment != 0 {
		return Unit{}, ErrMalformed
	}
	if !d.picture.slices {
		if len(d.data) > maxHeld {
			return Unit{}, ErrMalformed
		}
		d.held = len(d.data)
		return Unit{}, nil
	}
	p := d.picture
	u := Unit{Key: d.enter(), Discardable: !p.needed, OwnHeaders: p.sps && p.pps || !d.inBand}
	u.Data, d.data = d.data, spare[:0]
	return u, nil
}

// enter reports whether decoding can start at this picture, and puts in front of it what a decoder then needs and the
// picture did not bring. It can start at an IDR picture, at a recovery point, and at a picture that is certainly one:
// of I slices alone, in a stream that allows one reference picture, it replaces all others (H.264, 8.2.5.3).
func (d *h264Depacketizer) enter() bool {
	p := &d.picture
	replaces := p.intra && d.sets.singleReference()
	if !p.reference || !(p.idr || p.recovery || replaces) || !d.sets.complete() {
		return false
	}
	if !p.sps || !p.pps {
		d.data = d.sets.Prepend(d.data)
	}
	if !p.idr && !p.recovery {
		d.data = slices.Insert(d.data, 0, recoveryHere...)
	}
	return true
}
