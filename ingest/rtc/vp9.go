package rtc

import "github.com/pion/rtp/codecs"

// vp9Depacketizer implements RFC 9628. Of a picture with several spatial
// layers it takes the base layer, which is a stream of its own; the layers
// together would need an index that RTP does not carry.
type vp9Depacketizer struct {
	data         []byte
	begun, ended bool
	predicted    bool // P of the base layer's first packet
}

func (d *vp9Depacketizer) starts(payload []byte) bool {
	var p codecs.VP9Packet
	_, err := p.Unmarshal(payload)
	return err == nil && p.B && p.SID == 0
}

func (d *vp9Depacketizer) reset() { d.data, d.begun, d.ended = d.data[:0], false, false }

func (d *vp9Depacketizer) add(payload []byte) error {
	var p codecs.VP9Packet // fresh: its lists grow from packet to packet
	body, err := p.Unmarshal(payload)
	if err != nil {
		return err
	}
	if p.SID > 0 {
		return nil
	}
	if len(body) == 0 || d.ended || p.B == d.begun {
		return errMalformed
	}
	if p.B {
		d.begun, d.predicted = true, p.P
	}
	d.data = append(d.data, body...)
	d.ended = p.E
	return nil
}

func (d *vp9Depacketizer) finish() (unit, error) {
	if !d.begun || !d.ended {
		return unit{}, errMalformed
	}
	key, err := vp9KeyFrame(d.data)
	if err != nil {
		return unit{}, err
	}
	return unit{data: d.data, key: key && !d.predicted}, nil
}

// vp9KeyFrame reads the start of the uncompressed header (VP9 bitstream specification, 6.2).
func vp9KeyFrame(frame []byte) (bool, error) {
	bits := frame[0]
	if bits>>6 != 2 {
		return false, errMalformed
	}
	showExisting, frameType := bits>>3&1, bits>>2&1
	if bits>>4&3 == 3 { // profile 3 has a reserved bit
		showExisting, frameType = bits>>2&1, bits>>1&1
	}
	return showExisting == 0 && frameType == 0, nil
}
