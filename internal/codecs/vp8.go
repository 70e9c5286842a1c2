package codecs

import (
	"bytes"

	"github.com/pion/rtp/codecs"

	"github.com/liveproof/liveproof"
)

var vp8 = Format{
	Name:            liveproof.CodecVP8,
	FMTP:            []string{""},
	NewDepacketizer: func(string) Depacketizer { return &vp8Depacketizer{} },
	FFmpegName:      "vp8",
	Decoder:         "vp8",
	Hidden:          vp8Hidden,
	Size:            vp8Size,

	NewQuantiserReader: func([]byte) QuantiserReader { return vp8Quantiser{} },
}

// vp8KeyHeader is the length in bytes of a key frame's header before its partitions (RFC 6386, 9.1).
const vp8KeyHeader = 10

func vp8IsKey(frame []byte) bool { return frame[0]&1 == 0 }

// vp8HasStartCode checks a key frame's header.
func vp8HasStartCode(frame []byte) bool {
	return len(frame) >= vp8KeyHeader && bytes.Equal(frame[3:6], []byte{0x9d, 0x01, 0x2a})
}

// vp8Hidden reads show_frame. A frame without a header is called hidden: the decoder refuses it.
func vp8Hidden(frame []byte) bool { return len(frame) == 0 || frame[0]&0x10 == 0 }

func vp8Size(frame []byte) (width, height int, ok bool) {
	if !vp8HasStartCode(frame) || !vp8IsKey(frame) {
		return 0, 0, false
	}
	width = (int(frame[6]) | int(frame[7])<<8) & 0x3fff
	height = (int(frame[8]) | int(frame[9])<<8) & 0x3fff
	return width, height, true
}

// vp8Depacketizer implements RFC 7741. Its N bit (section 4.2, "non-reference frame")
// says that the frame can be left out without affecting any other. Encoders set it only
// if the frame does not change the entropy coder's probabilities either.
type vp8Depacketizer struct {
	data  []byte
	first codecs.VP8Packet // descriptor of the picture's first packet
	last  codecs.VP8Packet // of the picture before
	begun bool
	spare bool // all packets so far have the N bit
}

// Starts: the first packet of the first partition (RFC 7741, 4.2).
func (d *vp8Depacketizer) Starts(payload []byte) Start {
	var p codecs.VP8Packet
	if _, err := p.Unmarshal(payload); err != nil || p.S == 0 || p.PID != 0 {
		return StartUnknown
	}
	return StartOfUnit
}

func (d *vp8Depacketizer) Reset() { d.data, d.begun = d.data[:0], false }

func (d *vp8Depacketizer) Forget() { d.Reset() }

func (d *vp8Depacketizer) Add(payload []byte) error {
	var p codecs.VP8Packet
	body, err := p.Unmarshal(payload)
	if err != nil {
		return err
	}
	start := p.S == 1 && p.PID == 0
	if len(body) == 0 || start == d.begun {
		return ErrMalformed
	}
	d.data = append(d.data, body...)
	if start {
		p.Payload = nil
		d.first, d.begun, d.spare = p, true, true
	}
	d.spare = d.spare && p.N == 1
	return nil
}

// Finish checks the frame tag (RFC 6386, 9.1): a key frame has its start code.
func (d *vp8Depacketizer) Finish(spare []byte) (Unit, error) {
	if len(d.data) < 3 {
		return Unit{}, ErrMalformed
	}
	key := vp8IsKey(d.data)
	if key && !vp8HasStartCode(d.data) {
		return Unit{}, ErrMalformed
	}
	u := Unit{Data: d.data, Key: key, Skip: !key && d.skipped(), Discardable: !key && d.spare}
	d.last, d.data = d.first, spare[:0]
	return u, nil
}

// skipped reports whether, by the picture IDs (7 or 15 bits), the sender left
// pictures out. With temporal layers that is normal, because the upper layers
// may be dropped.
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
