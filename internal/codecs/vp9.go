package codecs

import (
	"github.com/pion/rtp/codecs"

	"github.com/liveproof/liveproof"
)

var vp9 = Format{
	Name:            liveproof.CodecVP9,
	FMTP:            []string{"profile-id=0", "profile-id=2"},
	NewDepacketizer: func(string) Depacketizer { return &vp9Depacketizer{} },
	FFmpegName:      "vp9",
	Decoder:         "vp9",
	Size:            vp9Size,

	NewQuantiserReader: func([]byte) QuantiserReader { return vp9Quantiser{} },
}

// vp9Depacketizer implements RFC 9628. Of a picture with several spatial
// layers it takes the base layer, which is a stream of its own; the layers
// together would need an index that RTP does not carry.
type vp9Depacketizer struct {
	data         []byte
	begun, ended bool
	predicted    bool // P of the base layer's first packet
}

// Starts: the first packet of the base layer (RFC 9628, 4.2), which is all that is taken.
func (d *vp9Depacketizer) Starts(payload []byte) Start {
	var p codecs.VP9Packet
	if _, err := p.Unmarshal(payload); err != nil || !p.B || p.SID != 0 {
		return StartUnknown
	}
	return StartOfUnit
}

func (d *vp9Depacketizer) Reset() { d.data, d.begun, d.ended = d.data[:0], false, false }

func (d *vp9Depacketizer) Forget() { d.Reset() }

func (d *vp9Depacketizer) Add(payload []byte) error {
	var p codecs.VP9Packet // a new one for each packet, because Unmarshal appends to its lists
	body, err := p.Unmarshal(payload)
	if err != nil {
		return err
	}
	if p.SID > 0 {
		return nil
	}
	if len(body) == 0 || d.ended || p.B == d.begun {
		return ErrMalformed
	}
	if p.B {
		d.begun, d.predicted = true, p.P
	}
	d.data = append(d.data, body...)
	d.ended = p.E
	return nil
}

func (d *vp9Depacketizer) Finish(spare []byte) (Unit, error) {
	if !d.begun || !d.ended {
		return Unit{}, ErrMalformed
	}
	_, key, ok := (&bitReader{data: d.data}).vp9Start()
	if !ok {
		return Unit{}, ErrMalformed
	}
	u := Unit{Data: d.data, Key: key && !d.predicted}
	d.data = spare[:0]
	return u, nil
}

// vp9Size reads a key frame's uncompressed header (VP9 bitstream specification, section 6.2).
func vp9Size(frame []byte) (width, height int, ok bool) {
	r := bitReader{data: frame}
	profile, key, ok := r.vp9Start()
	r.bits(2) // show_frame, error_resilient_mode
	if !ok || !key || r.bits(24) != 0x498342 {
		return 0, 0, false
	}
	r.vp9Colour(profile)
	width, height = int(r.bits(16))+1, int(r.bits(16))+1
	if r.err != nil {
		return 0, 0, false
	}
	return width, height, true
}

// vp9Start reads the uncompressed header up to frame_type; ok is false without
// the frame marker. A frame that only shows an earlier one is no key frame.
func (r *bitReader) vp9Start() (profile uint32, key, ok bool) {
	if r.bits(2) != 2 {
		return 0, false, false
	}
	profile = r.bits(1) | r.bits(1)<<1
	if profile == 3 {
		r.bits(1) // reserved_zero
	}
	showExisting, interFrame := r.bits(1), r.bits(1)
	return profile, showExisting == 0 && interFrame == 0, r.err == nil
}

// vp9Colour skips color_config, section 6.2.2.
func (r *bitReader) vp9Colour(profile uint32) {
	if profile >= 2 {
		r.bits(1) // ten_or_twelve_bit
	}
	skip := 0
	const sRGB = 7
	if r.bits(3) != sRGB {
		r.bits(1) // color_range
		skip = 2  // subsampling
	}
	if profile&1 == 1 {
		r.bits(skip + 1) // and reserved_zero
	}
}
