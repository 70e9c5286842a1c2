package codecs

import (
	"encoding/binary"
	"fmt"

	"github.com/liveproof/liveproof"
)

var h264 = Format{
	Name:             liveproof.CodecH264,
	FMTP:             h264FMTP(),
	NewDepacketizer:  func() Depacketizer { return &h264Depacketizer{} },
	FFmpegName:       "h264",
	Decoder:          "h264",
	Reorders:         true,
	Size:             h264Size,
	SizeInFile:       h264SizeInFile,
	NewParameterSets: func() ParameterSets { return &h264Sets{} },
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

// NAL unit types (ITU-T H.264, table 7-1) and packet types (RFC 6184, table 1).
const (
	nalSlice  = 1
	nalIDR    = 5
	nalSEI    = 6
	nalSPS    = 7
	nalPPS    = 8
	nalAUD    = 9
	nalFiller = 12
	nalMax    = 23
	nalSTAPA  = 24
	nalFUA    = 28

	nalRefIDC = 0x60 // nal_ref_idc in a NAL unit's first byte; 0: no picture refers to the unit

	maxHeld = 64 << 10 // bytes of parameter sets kept for the next picture
)

// h264Depacketizer implements RFC 6184, packetization modes 0 and 1, into Annex
// B with four-byte start codes. pion's depacketizer is not used because
// incomplete payloads must be refused: fragments without their start or end,
// aggregates with a remainder.
type h264Depacketizer struct {
	data     []byte
	held     int  // bytes at the start of data that came before this picture: parameter sets
	fragment byte // type of the NAL unit under way, 0 for none
	vcl, idr bool // this picture has slices, has IDR slices
	sps, pps bool // the stream has had parameter sets
	needed   bool // later pictures need something of this one
}

// Starts: an access unit delimiter or a sequence parameter set comes first in
// its access unit (H.264, 7.4.1.2.3).
func (d *h264Depacketizer) Starts(payload []byte) bool {
	kind := payload[0] & 0x1f
	if kind == nalSTAPA && len(payload) > 3 {
		kind = payload[3] & 0x1f
	}
	return kind == nalAUD || kind == nalSPS
}

func (d *h264Depacketizer) Reset() {
	d.needed = d.held > 0
	d.data, d.held = d.data[:d.held], 0
	d.fragment, d.vcl, d.idr = 0, false, false
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
		header := payload[0]&0xe0 | kind
		d.note(header)
		d.data = append(d.data, 0, 0, 0, 1, header)
	}
	d.data = append(d.data, payload[2:]...)
	if last {
		d.fragment = 0
	}
	return nil
}

func (d *h264Depacketizer) addNAL(nal []byte) {
	d.note(nal[0])
	d.data = append(d.data, 0, 0, 0, 1)
	d.data = append(d.data, nal...)
}

// note updates what is known of the picture by a NAL unit's first byte.
func (d *h264Depacketizer) note(header byte) {
	kind := header & 0x1f
	d.vcl = d.vcl || kind >= nalSlice && kind <= nalIDR
	d.idr = d.idr || kind == nalIDR
	d.sps = d.sps || kind == nalSPS
	d.pps = d.pps || kind == nalPPS
	d.needed = d.needed || !h264Discardable(header)
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
	if !d.vcl {
		if len(d.data) > maxHeld {
			return Unit{}, ErrMalformed
		}
		d.held = len(d.data)
		return Unit{}, nil
	}
	u := Unit{Data: d.data, Key: d.idr && d.sps && d.pps, Discardable: !d.needed}
	d.data = spare[:0]
	return u, nil
}
