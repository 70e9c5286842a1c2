package media

import (
	"bytes"
	"errors"

	"github.com/liveproof/liveproof"
)

// peekSize reads the size that an access unit claims, before any decoder sees
// it: decoders allocate per-picture tables as soon as they have read a header.
// ok is false when the access unit carries no size (or a broken one, which the
// decoder refuses). AV1 is missing here: libdav1d applies the cap itself on the header.
func peekSize(codec liveproof.Codec, data []byte) (width, height int, ok bool) {
	switch codec {
	case liveproof.CodecVP8:
		return peekVP8(data)
	case liveproof.CodecVP9:
		return peekVP9(data)
	case liveproof.CodecH264:
		return peekH264(data)
	}
	return 0, 0, false
}

// peekVP8 reads a key frame's header, RFC 6386 section 9.1.
func peekVP8(data []byte) (width, height int, ok bool) {
	if len(data) < 10 || data[0]&1 != 0 || !bytes.Equal(data[3:6], []byte{0x9d, 0x01, 0x2a}) {
		return 0, 0, false
	}
	width = (int(data[6]) | int(data[7])<<8) & 0x3fff
	height = (int(data[8]) | int(data[9])<<8) & 0x3fff
	return width, height, true
}

// peekVP9 reads a key frame's uncompressed header (VP9 bitstream specification, section 6.2).
func peekVP9(data []byte) (width, height int, ok bool) {
	r := bitReader{data: data}
	if r.bits(2) != 2 {
		return 0, 0, false
	}
	profile := r.bits(1) | r.bits(1)<<1
	if profile == 3 {
		r.bits(1)
	}
	showExisting, interFrame := r.bits(1), r.bits(1)
	r.bits(2) // show_frame, error_resilient_mode
	if showExisting == 1 || interFrame == 1 || r.bits(24) != 0x498342 {
		return 0, 0, false
	}
	r.vp9Colour(profile)
	width, height = int(r.bits(16))+1, int(r.bits(16))+1
	if r.err != nil {
		return 0, 0, false
	}
	return width, height, true
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

// peekH264 returns the largest size that a sequence parameter set of an Annex B
// access unit claims; which one a slice activates is not asked.
func peekH264(data []byte) (width, height int, ok bool) {
	for nal := range annexB(data) {
		w, h, valid := spsSize(nal)
		if valid && w*h > width*height {
			width, height, ok = w, h, true
		}
	}
	return width, height, ok
}

// annexB gives the NAL units between start codes, RFC 6184's Annex B byte stream.
func annexB(data []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		code := []byte{0, 0, 1}
		start := bytes.Index(data, code)
		for start >= 0 {
			data = data[start+len(code):]
			nal := data
			if start = bytes.Index(data, code); start >= 0 {
				nal = data[:start]
			}
			if !yield(nal) {
				return
			}
		}
	}
}

// spsSize reads the coded size out of a sequence parameter set, ITU-T H.264
// section 7.3.2.1.1. The height is a lower bound: up to 15 rows may be cropped.
// The cropping rectangle itself is not believed, tables are allocated without it.
func spsSize(nal []byte) (width, height int, ok bool) {
	const typeSPS = 7
	if len(nal) < 4 || nal[0]&0x1f != typeSPS {
		return 0, 0, false
	}
	r := bitReader{data: unescape(nal[1:])}
	profile := r.bits(8)
	r.bits(16) // constraint flags, level
	r.ue()     // seq_parameter_set_id
	if hasChromaFormat(profile) {
		r.spsChroma()
	}
	r.ue() // log2_max_frame_num_minus4
	r.spsPictureOrder()
	r.ue()    // max_num_ref_frames
	r.bits(1) // gaps_in_frame_num_value_allowed_flag
	w, h := r.ue()+1, r.ue()+1
	h *= 2 - r.bits(1) // frame_mbs_only_flag
	const most = 1 << 12
	if r.err != nil || w == 0 || h == 0 {
		return 0, 0, false
	}
	w, h = min(w, most), min(h, most) // 65536 pixels: above every cap, and no overflow
	return int(w) * 16, int(h)*16 - 15, true
}

func hasChromaFormat(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// spsChroma skips chroma format, bit depths and scaling matrices.
func (r *bitReader) spsChroma() {
	lists := 8
	if r.ue() == 3 { // 4:4:4
		lists = 12
		r.bits(1)
	}
	r.ue()
	r.ue()
	r.bits(1)
	if r.bits(1) == 0 {
		return
	}
	for i := range lists {
		if r.bits(1) == 0 {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		r.scalingList(size)
	}
}

func (r *bitReader) scalingList(size int) {
	last, next := 8, 8
	for range size {
		if r.err != nil {
			return
		}
		if next != 0 {
			next = (last + int(r.se()) + 256) & 255
		}
		if next != 0 {
			last = next
		}
	}
}

// spsPictureOrder skips pic_order_cnt_type and what depends on it.
func (r *bitReader) spsPictureOrder() {
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.bits(1)
		r.ue()
		r.ue()
		for n := r.ue(); n > 0 && r.err == nil; n-- {
			r.ue()
		}
	}
}

// unescape removes emulation prevention bytes (00 00 03). A header lies in the first bytes.
func unescape(nal []byte) []byte {
	const enough = 1024
	out := make([]byte, 0, min(len(nal), enough))
	zeros := 0
	for _, b := range nal[:min(len(nal), enough)] {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

var errShort = errors.New("header ends early")

// bitReader reads most significant bit first. After the end it gives zeros and keeps err.
type bitReader struct {
	data []byte
	pos  int
	err  error
}

func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v <<= 1
		if r.pos>>3 >= len(r.data) {
			r.err = errShort
			continue
		}
		v |= uint32(r.data[r.pos>>3]>>(7-r.pos&7)) & 1
		r.pos++
	}
	return v
}

// ue is an unsigned Exp-Golomb code, H.264 section 9.1.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bits(1) == 0 {
		if zeros++; zeros > 31 || r.err != nil {
			r.err = errShort
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}
