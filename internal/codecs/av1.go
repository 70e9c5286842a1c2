package codecs

import (
	"slices"

	"github.com/pion/rtp/codecs/av1/obu"

	"github.com/liveproof/liveproof"
)

// av1 has no Size: libdav1d reads the sequence header and applies the limit
// before it allocates.
var av1 = Format{
	Name:            liveproof.CodecAV1,
	FMTP:            []string{""},
	NewDepacketizer: func(string) Depacketizer { return &av1Depacketizer{} },
	FFmpegName:      "av1",
	Decoder:         "libdav1d", // FFmpeg's own needs hardware

	NewQuantiserReader: func([]byte) QuantiserReader { return &av1Quantiser{} },
}

// The aggregation header (RTP Payload Format for AV1, 4.4).
const (
	av1Continues   = 0x80 // Z: the first element continues one of the packet before
	av1Continued   = 0x40 // Y: the last element continues in the next packet
	av1NewSequence = 0x08 // N: first packet of a coded video sequence
)

// av1Elements is W: how many elements follow, the last one without its length;
// 0 is any number, each with its length.
func av1Elements(header byte) int { return int(header >> 4 & 3) }

// av1Depacketizer implements the RTP Payload Format for AV1 into a temporal
// unit of the low-overhead format: a temporal delimiter, then OBUs with sizes.
// pion's depacketizer is not used because it copies each OBU three times.
type av1Depacketizer struct {
	data    []byte
	start   int  // where the last OBU begins in data
	pending bool // that OBU continues in the next packet
}

// Starts: the first packet of a coded video sequence, or one that begins with a temporal delimiter, which is the
// first OBU of its temporal unit, or with a sequence header, which comes before the frames (AV1 specification, 7.5).
func (d *av1Depacketizer) Starts(payload []byte) Start {
	switch {
	case payload[0]&av1Continues != 0:
		return StartUnknown
	case payload[0]&av1NewSequence != 0:
		return StartOfUnit
	}
	first, _, err := av1Element(payload[1:], av1Elements(payload[0]) == 1)
	if err != nil || len(first) == 0 {
		return StartUnknown
	}
	switch obu.Type(first[0] >> 3 & 0xf) {
	case obu.OBUTemporalDelimiter, obu.OBUSequenceHeader:
		return StartOfUnit
	}
	return StartUnknown
}

func (d *av1Depacketizer) Reset() {
	d.data = append(d.data[:0], byte(obu.OBUTemporalDelimiter)<<3|av1HasSize, 0)
	d.pending = false
}

func (d *av1Depacketizer) Forget() { d.Reset() }

func (d *av1Depacketizer) Add(payload []byte) error {
	header, rest := payload[0], payload[1:]
	if (header&av1Continues != 0) != d.pending || len(rest) == 0 {
		return ErrMalformed
	}
	count := 0
	for len(rest) > 0 {
		count++
		element, after, err := av1Element(rest, count == av1Elements(header))
		if err != nil {
			return err
		}
		rest = after
		if !d.pending {
			d.start = len(d.data)
		}
		d.data = append(d.data, element...)
		if d.pending = len(rest) == 0 && header&av1Continued != 0; d.pending {
			break
		}
		if err := d.endOBU(); err != nil {
			return err
		}
	}
	if w := av1Elements(header); w != 0 && w != count {
		return ErrMalformed
	}
	return nil
}

// av1Element cuts the first element off; the last of a known number has no length.
func av1Element(rest []byte, last bool) (element, after []byte, err error) {
	if last {
		return rest, nil, nil
	}
	size, n, err := obu.ReadLeb128(rest)
	if err != nil || uint64(size) > uint64(len(rest)-int(n)) {
		return nil, nil, ErrMalformed
	}
	return rest[n : n+size], rest[n+size:], nil
}

// av1HasSize is obu_has_size_field in an OBU's first byte (AV1 specification, 5.3.2).
const av1HasSize = 0x02

// endOBU inserts the size of the OBU at start. It leaves out temporal delimiters
// and tile lists, as receivers must (RTP Payload Format for AV1, 5).
func (d *av1Depacketizer) endOBU() error {
	if len(d.data) == d.start {
		return nil
	}
	header, err := obu.ParseOBUHeader(d.data[d.start:])
	if err != nil {
		return ErrMalformed
	}
	if header.Type == obu.OBUTemporalDelimiter || header.Type == obu.OBUTileList {
		d.data = d.data[:d.start]
		return nil
	}
	at, old := d.start+header.Size(), 0
	if header.HasSizeField { // senders should leave it out
		_, n, err := obu.ReadLeb128(d.data[at:])
		if err != nil {
			return ErrMalformed
		}
		old = int(n)
	}
	size := len(d.data) - at - old
	d.data[d.start] |= av1HasSize
	d.data = slices.Replace(d.data, at, at+old, obu.WriteToLeb128(uint(size))...)
	return nil
}

func (d *av1Depacketizer) Finish(spare []byte) (Unit, error) {
	if d.pending {
		return Unit{}, ErrMalformed
	}
	key, frames, err := av1KeyFrame(d.data)
	if err != nil || !frames {
		return Unit{}, ErrMalformed
	}
	u := Unit{Data: d.data, Key: key}
	d.data = spare[:0]
	return u, nil
}

// av1KeyFrame reads a temporal unit: decoding can start at it when it has a
// sequence header and its first frame is a key frame (AV1 specification,
// 5.9.2).
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
