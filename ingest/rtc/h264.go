package rtc

import (
	"encoding/binary"
	"errors"
)

var errMalformed = errors.New("malformed payload")

// NAL unit types (ITU-T H.264, table 7-1) and packet types (RFC 6184, table 1).
const (
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
	nalAUD   = 9
	nalMax   = 23
	nalSTAPA = 24
	nalFUA   = 28

	maxParameterSets = 64 << 10 // bytes kept for the next picture
)

// h264Depacketizer implements RFC 6184, packetization modes 0 and 1, into
// Annex B with four-byte start codes. It is our own because it must refuse what
// is not whole: fragments without their start or end, aggregates with a rest.
type h264Depacketizer struct {
	data     []byte
	held     int  // bytes at the start of data that came before this picture: parameter sets
	fragment byte // type of the NAL unit under way, 0 for none
	vcl, idr bool // this picture has slices, has IDR slices
	sps, pps bool // the stream has had parameter sets
}

// starts: an access unit delimiter or a sequence parameter set comes first in
// its access unit (H.264, 7.4.1.2.3).
func (d *h264Depacketizer) starts(payload []byte) bool {
	kind := payload[0] & 0x1f
	if kind == nalSTAPA && len(payload) > 3 {
		kind = payload[3] & 0x1f
	}
	return kind == nalAUD || kind == nalSPS
}

func (d *h264Depacketizer) reset() {
	d.data, d.held = d.data[:d.held], 0
	d.fragment, d.vcl, d.idr = 0, false, false
}

func (d *h264Depacketizer) add(payload []byte) error {
	kind := payload[0] & 0x1f
	if d.fragment != 0 && kind != nalFUA {
		return errMalformed
	}
	switch {
	case kind >= 1 && kind <= nalMax:
		d.nal(payload)
		return nil
	case kind == nalSTAPA:
		return d.aggregate(payload[1:])
	case kind == nalFUA:
		return d.fragmented(payload)
	}
	return errMalformed
}

func (d *h264Depacketizer) aggregate(rest []byte) error {
	for len(rest) > 0 {
		if len(rest) < 3 {
			return errMalformed
		}
		size := int(binary.BigEndian.Uint16(rest))
		rest = rest[2:]
		if size == 0 || size > len(rest) || rest[0]&0x1f == 0 || rest[0]&0x1f > nalMax {
			return errMalformed
		}
		d.nal(rest[:size])
		rest = rest[size:]
	}
	return nil
}

func (d *h264Depacketizer) fragmented(payload []byte) error {
	if len(payload) < 3 {
		return errMalformed
	}
	kind, first, last := payload[1]&0x1f, payload[1]&0x80 != 0, payload[1]&0x40 != 0
	if kind == 0 || kind > nalMax || first && last || first != (d.fragment == 0) || !first && kind != d.fragment {
		return errMalformed
	}
	if first {
		d.fragment = kind
		d.note(kind)
		d.data = append(d.data, 0, 0, 0, 1, payload[0]&0xe0|kind)
	}
	d.data = append(d.data, payload[2:]...)
	if last {
		d.fragment = 0
	}
	return nil
}

func (d *h264Depacketizer) nal(nal []byte) {
	d.note(nal[0] & 0x1f)
	d.data = append(d.data, 0, 0, 0, 1)
	d.data = append(d.data, nal...)
}

func (d *h264Depacketizer) note(kind byte) {
	d.vcl = d.vcl || kind >= 1 && kind <= nalIDR
	d.idr = d.idr || kind == nalIDR
	d.sps = d.sps || kind == nalSPS
	d.pps = d.pps || kind == nalPPS
}

// finish holds back parameter sets that come with a marker or a timestamp of
// their own: they belong to the next picture.
func (d *h264Depacketizer) finish() (unit, error) {
	if d.fragment != 0 {
		return unit{}, errMalformed
	}
	if !d.vcl {
		if len(d.data) > maxParameterSets {
			return unit{}, errMalformed
		}
		d.held = len(d.data)
		return unit{}, nil
	}
	return unit{data: d.data, key: d.idr && d.sps && d.pps}, nil
}
