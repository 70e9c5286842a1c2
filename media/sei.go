package media

import (
	"encoding/binary"

	"github.com/liveproof/liveproof/internal/codecs"
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
	if ffmpegCodec != "h264" && ffmpegCodec != "hevc" {
		return nil
	}
	hevc := ffmpegCodec == "hevc"
	return &displaySEI{hevc: hevc, lengthBytes: codecs.NALLengthBytes(hevc, streamHeader)}
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
	for nal := range codecs.NALUnits(unit, s.lengthBytes) {
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

// read finds a display orientation in an SEI NAL unit, the last one of several.
func (s *displaySEI) read(nal []byte) (m orientationSEI, found bool) {
	const displayOrientation = 47 // payloadType
	header := 1
	if s.hevc {
		header = 2
	}
	for kind, payload := range codecs.SEIMessages(nal, header) {
		if kind == displayOrientation {
			if read, ok := s.payload(payload); ok {
				m, found = read, true
			}
		}
	}
	return m, found
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
