package rtc

import "github.com/pion/rtp/codecs"

// vp8Depacketizer implements RFC 7741.
type vp8Depacketizer struct {
	data  []byte
	first codecs.VP8Packet // descriptor of the picture's first packet
	last  codecs.VP8Packet // of the picture before
	begun bool
}

func (d *vp8Depacketizer) starts(payload []byte) bool {
	var p codecs.VP8Packet
	_, err := p.Unmarshal(payload)
	return err == nil && p.S == 1 && p.PID == 0
}

func (d *vp8Depacketizer) reset() { d.data, d.begun = d.data[:0], false }

func (d *vp8Depacketizer) add(payload []byte) error {
	var p codecs.VP8Packet
	body, err := p.Unmarshal(payload)
	if err != nil {
		return err
	}
	start := p.S == 1 && p.PID == 0
	if len(body) == 0 || start == d.begun {
		return errMalformed
	}
	d.data = append(d.data, body...)
	if start {
		p.Payload = nil
		d.first, d.begun = p, true
	}
	return nil
}

// finish checks the frame tag (RFC 6386, 9.1): a key frame has its start code.
func (d *vp8Depacketizer) finish() (unit, error) {
	if len(d.data) < 3 {
		return unit{}, errMalformed
	}
	key := d.data[0]&1 == 0
	if key && (len(d.data) < 10 || d.data[3] != 0x9d || d.data[4] != 0x01 || d.data[5] != 0x2a) {
		return unit{}, errMalformed
	}
	u := unit{data: d.data, key: key, skip: !key && d.skipped()}
	d.last = d.first
	return u, nil
}

// skipped tells from the picture IDs (7 or 15 bits) that the sender left
// pictures out. With temporal layers that is normal: the upper ones are dropped.
func (d *vp8Depacketizer) skipped() bool {
	if d.first.I == 0 || d.last.I == 0 || d.first.T == 1 {
		return false
	}
	step := (d.first.PictureID - d.last.PictureID) & 0x7fff
	if d.first.PictureID < 128 && d.last.PictureID < 128 {
		step &= 0x7f // seven bits wrap earlier
	}
	return step > 1
}
