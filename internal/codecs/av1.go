package codecs

import (
	"github.com/pion/rtp/codecs"
	"github.com/pion/rtp/codecs/av1/obu"

	"github.com/liveproof/liveproof"
)

// av1 has no Size: libdav1d reads the sequence header and applies the limit
// before it allocates.
var av1 = Format{
	Name:            liveproof.CodecAV1,
	FMTP:            []string{""},
	NewDepacketizer: func() Depacketizer { return &av1Depacketizer{} },
	FFmpegName:      "av1",
	Decoder:         "libdav1d", // FFmpeg's own needs hardware
}

// Flags of the aggregation header (RTP Payload Format for AV1, 4.4).
const (
	av1Continues   = 0x80 // Z: the first element continues one of the packet before
	av1Continued   = 0x40 // Y: the last element goes on in the next packet
	av1NewSequence = 0x08 // N: first packet of a coded video sequence
)

// av1Depacketizer implements the RTP Payload Format for AV1 into a temporal
// unit of the low-overhead format: a temporal delimiter, then OBUs with sizes.
type av1Depacketizer struct {
	data    []byte
	join    *codecs.AV1Depacketizer
	pending bool // an OBU goes on in the next packet
}

func (d *av1Depacketizer) Starts(payload []byte) bool {
	return payload[0]&av1NewSequence != 0 && payload[0]&av1Continues == 0
}

func (d *av1Depacketizer) Reset() {
	d.data = append(d.data[:0], byte(obu.OBUTemporalDelimiter)<<3|0x02, 0)
	d.join, d.pending = &codecs.AV1Depacketizer{}, false
}

func (d *av1Depacketizer) Add(payload []byte) error {
	if (payload[0]&av1Continues != 0) != d.pending {
		return ErrMalformed
	}
	obus, err := d.join.Unmarshal(payload)
	if err != nil {
		return err
	}
	d.data = append(d.data, obus...)
	d.pending = payload[0]&av1Continued != 0
	return nil
}

func (d *av1Depacketizer) Finish() (Unit, error) {
	if d.pending {
		return Unit{}, ErrMalformed
	}
	key, frames, err := av1KeyFrame(d.data)
	if err != nil || !frames {
		return Unit{}, ErrMalformed
	}
	return Unit{Data: d.data, Key: key}, nil
}

// av1KeyFrame walks a temporal unit: it is a start when it has a sequence
// header and its first frame is a key frame (AV1 specification, 5.9.2).
func av1KeyFrame(tu []byte) (key, frames bool, err error) {
	sequence := false
	for len(tu) > 0 {
		header, err := obu.ParseOBUHeader(tu)
		if err != nil || !header.HasSizeField {
			return false, false, ErrMalformed
		}
		start := header.Size()
		size, n, err := obu.ReadLeb128(tu[start:])
		start += int(n)
		if err != nil || start > len(tu) || uint64(size) > uint64(len(tu)-start) {
			return false, false, ErrMalformed
		}
		body := tu[start : start+int(size)]
		tu = tu[start+int(size):]
		switch header.Type {
		case obu.OBUSequenceHeader:
			sequence = true
		case obu.OBUFrame, obu.OBUFrameHeader:
			if !frames {
				frames, key = true, sequence && len(body) > 0 && body[0]&0xe0 == 0
			}
		}
	}
	return key, frames, nil
}
