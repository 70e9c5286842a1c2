package media

import (
	"bytes"
	"encoding/binary"
)

// displaySEI follows the display orientation SEI messages of one H.264 or HEVC stream (payloadType 47; ITU-T H.264 annex D,
// H.265 D.2.17 and D.3.17). FFmpeg 5.1 gives a message only to the
// picture that it comes with, and loses those of later key frames; the standards let it persist to the end of
// the coded video sequence.
type displaySEI struct {
	hevc        bool
	lengthBytes int // of the length before each NAL unit; 0: start codes
	held        Orientation
}

// newDisplaySEI returns nil for a codec without such messages. streamHeader is the codec's header in the container,
// an AVC or HEVC decoder configuration record (ISO/IEC 14496-15) where NAL units have lengths.
func newDisplaySEI(ffmpegCodec string, streamHeader []byte) *displaySEI {
	const avcLength, hevcLength = 4, 21 // where the records hold the size of a length
	s := &displaySEI{hevc: ffmpegCodec == "hevc"}
	at := avcLength
	if s.hevc {
		at = hevcLength
	} else if ffmpegCodec != "h264" {
		return nil
	}
	if len(streamHeader) > at && streamHeader[0] == 1 {
		s.lengthBytes = int(streamHeader[at]&3) + 1
	}
	return s
}

// next returns the orientation of the picture in the next access unit in decoding order. ok is false where
// no message is in force, and where it changes nothing: a container's or transport's orientation then holds, as with
// FFmpeg.
func (s *displaySEI) next(unit []byte) (o Orientation, ok bool) {
	m, found := s.message(unit)
	if m.starts {
		s.held = Orientation{}
	}
	o = s.held
	if found {
		o, s.held = m.orientation, Orientation{}
		if m.persists {
			s.held = o
		}
	}
	return o, o != Orientation{}
}

// orientationSEI is what an access unit says. A cancelled orientation is that of no change.
type orientationSEI struct {
	orientation Orientation
	persists    bool
	starts      bool // a coded video sequence starts here
}

// message reads an access unit up to its first slice, which every SEI message of this kind precedes.
func (s *displaySEI) message(unit []byte) (m orientationSEI, found bool) {
	for nal := range s.nals(unit) {
		switch kind := s.kind(nal); kind {
		case nalSEI:
			if read, ok := s.read(nal); ok {
				m, found = read, true
			}
		case nalSlice, nalFirstSlice:
			m.starts = kind == nalFirstSlice
			return m, found
		}
	}
	return m, found
}

type nalKind int

const (
	nalOther nalKind = iota
	nalSEI
	nalSlice
	nalFirstSlice // of a picture that starts a coded video sequence
)

// kind tells H.264's and HEVC's NAL unit types apart (ITU-T H.264 table 7-1, H.265 table 7-1).
func (s *displaySEI) kind(nal []byte) nalKind {
	if s.hevc {
		switch t := nal[0] >> 1 & 63; { //nolint:mnd // the standard's numbers, as below
		case t == 39:
			return nalSEI
		case t >= 16 && t <= 20: // BLA, IDR
			return nalFirstSlice
		case t < 32:
			return nalSlice
		}
		return nalOther
	}
	switch nal[0] & 31 {
	case 6:
		return nalSEI
	case 5: // IDR
		return nalFirstSlice
	case 1, 2:
		return nalSlice
	}
	return nalOther
}

// nals gives the NAL units of an access unit, none of them empty.
func (s *displaySEI) nals(unit []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for {
			var nal []byte
			if nal, unit = s.split(unit); unit == nil || len(nal) > 0 && !yield(nal) {
				return
			}
		}
	}
}

// split cuts the first NAL unit off; rest is nil when there was none.
func (s *displaySEI) split(unit []byte) (nal, rest []byte) {
	if s.lengthBytes == 0 {
		code := []byte{0, 0, 1}
		_, rest, ok := bytes.Cut(unit, code)
		if !ok {
			return nil, nil
		}
		if len(rest) > 0 && s.kind(rest) >= nalSlice { // nothing after it is read
			return rest, []byte{}
		}
		if end := bytes.Index(rest, code); end >= 0 {
			return rest[:end], rest[end:]
		}
		return rest, []byte{}
	}
	if len(unit) < s.lengthBytes {
		return nil, nil
	}
	n := 0
	for _, b := range unit[:s.lengthBytes] {
		n = n<<8 | int(b)
	}
	unit = unit[s.lengthBytes:]
	n = min(n, len(unit))
	return unit[:n], unit[n:]
}

// read finds a display orientation in an SEI NAL unit, the last one of several.
func (s *displaySEI) read(nal []byte) (m orientationSEI, found bool) {
	const displayOrientation, enough = 47, 1 << 12 // payloadType; no other message is so long that it matters
	header := 1
	if s.hevc {
		header = 2
	}
	data := unescaped(nal[min(header, len(nal)):], enough)
	for len(data) > 2 { // rbsp_trailing_bits are not a message
		var kind, size int
		kind, data = seiNumber(data)
		size, data = seiNumber(data)
		size = min(size, len(data))
		if kind == displayOrientation {
			if read, ok := s.payload(data[:size]); ok {
				m, found = read, true
			}
		}
		data = data[size:]
	}
	return m, found
}

// seiNumber reads a payload type or size: bytes of 255 add up with the first other one.
func seiNumber(data []byte) (n int, rest []byte) {
	for i, b := range data {
		if n += int(b); b != 0xff {
			return n, data[i+1:]
		}
	}
	return n, nil
}

// payload reads display_orientation_cancel_flag, hor_flip, ver_flip, anticlockwise_rotation in 2^-16 turns, and
// then H.264's display_orientation_repetition_period (Exp-Golomb: a leading 1 is 0, this picture alone) or HEVC's
// display_orientation_persistence_flag. The picture is flipped first, then turned.
func (s *displaySEI) payload(data []byte) (m orientationSEI, ok bool) {
	const cancel, horizontal, vertical, last = 1 << 31, 1 << 30, 1 << 29, 1 << 12
	if len(data) > 0 && data[0]&(cancel>>24) != 0 {
		return m, true
	}
	if len(data) < 3 {
		return m, false
	}
	var start [4]byte
	copy(start[:], data)
	v := binary.BigEndian.Uint32(start[:])
	turns := -float64(v>>13&0xffff) / (1 << 16)
	if v&vertical != 0 { // the same as a horizontal flip and half a turn
		turns += 0.5
	}
	m.orientation.Mirrored = (v&horizontal != 0) != (v&vertical != 0)
	m.orientation.Turns = quarterTurns(360 * turns)
	m.persists = (v&last != 0) == s.hevc
	return m, true
}

// unescaped removes emulation prevention bytes (00 00 03) of the first most bytes.
func unescaped(nal []byte, most int) []byte {
	nal = nal[:min(len(nal), most)]
	escape := []byte{0, 0, 3}
	if !bytes.Contains(nal, escape) {
		return nal
	}
	out, zeros := make([]byte, 0, len(nal)), 0
	for _, b := range nal {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}
