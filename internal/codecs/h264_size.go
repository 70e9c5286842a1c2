package codecs

// h264Size returns the largest size that a sequence parameter set of an Annex B
// access unit claims; it does not check which one a slice activates.
func h264Size(data []byte) (width, height int, ok bool) { return h264SizeOf(data, 0) }

// h264SizeInFile reads the NAL units of a file, whose stream header may say that they have lengths.
func h264SizeInFile(streamHeader []byte) Sizer {
	n := NALLengthBytes(false, streamHeader)
	return func(data []byte) (width, height int, ok bool) { return h264SizeOf(data, n) }
}

func h264SizeOf(data []byte, lengthBytes int) (width, height int, ok bool) {
	for nal := range NALUnits(data, lengthBytes) {
		if w, h, valid := spsSize(nal); valid && w*h > width*height {
			width, height, ok = w, h, true
		}
	}
	return width, height, ok
}

// avccSets gives the parameter sets of an AVCDecoderConfigurationRecord.
func avccSets(record []byte) func(yield func([]byte) bool) {
	const counts = 5 // where the number of sequence parameter sets is
	return func(yield func([]byte) bool) {
		rest := record[counts:]
		for _, mask := range [...]byte{0x1f, 0xff} { // sequence, then picture parameter sets
			if len(rest) == 0 {
				return
			}
			n := rest[0] & mask
			rest = rest[1:]
			for ; n > 0 && len(rest) >= 2; n-- {
				size := min(int(rest[0])<<8|int(rest[1]), len(rest)-2)
				if !yield(rest[2 : 2+size]) {
					return
				}
				rest = rest[2+size:]
			}
		}
	}
}

// sps is what is read of a sequence parameter set.
type sps struct {
	id            uint32
	references    uint32 // max_num_ref_frames
	framesOnly    bool   // frame_mbs_only_flag
	colour        bool   // slices hold chroma: not 4:0:0, nor one plane for each slice
	planes        bool   // separate_colour_plane_flag
	frameNumBits  int    // of frame_num
	orderBits     int    // of pic_order_cnt_lsb, 0 where slices have none
	orderDeltas   bool   // slices have delta_pic_order_cnt
	width, height int
}

// spsSize reads the coded size out of a sequence parameter set. The height is a lower bound: up to 15 rows may be
// cropped. The cropping rectangle is ignored, because decoders allocate their tables without it.
func spsSize(nal []byte) (width, height int, ok bool) {
	if len(nal) < 4 || nal[0]&0x1f != nalSPS {
		return 0, 0, false
	}
	s, ok := readSPS(nal)
	return s.width, s.height, ok
}

// readSPS reads a sequence parameter set, ITU-T H.264 section 7.3.2.1.1, up to the picture's size.
func readSPS(nal []byte) (s sps, ok bool) {
	const enough = 1024 // bytes before the end of the size
	r := bitReader{data: unescape(nal[1:], enough)}
	profile := r.bits(8)
	r.bits(16) // constraint flags, level
	s.id = r.ue()
	s.colour = true
	if hasChromaFormat(profile) {
		s.colour, s.planes = r.spsChroma()
	}
	s.frameNumBits = int(min(r.ue(), mostOrderBits-4)) + 4
	s.orderBits, s.orderDeltas = r.spsPictureOrder()
	s.references = r.ue()
	r.bits(1) // gaps_in_frame_num_value_allowed_flag
	w, h := r.ue()+1, r.ue()+1
	interlaced := 1 - r.bits(1)
	s.framesOnly = interlaced == 0
	h *= 1 + interlaced
	const most = 1 << 12
	if r.err != nil || w == 0 || h == 0 {
		return sps{}, false
	}
	w, h = min(w, most), min(h, most) // 65536 pixels: above every cap, and no overflow
	s.width, s.height = int(w)*16, int(h)*16-15
	return s, true
}

// mostOrderBits of frame_num and pic_order_cnt_lsb (7.4.2.1.1).
const mostOrderBits = 16

func hasChromaFormat(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// spsChroma reads the chroma format and skips bit depths and scaling matrices.
func (r *bitReader) spsChroma() (colour, planes bool) {
	lists := 8
	format := r.ue()
	if format == 3 { // 4:4:4
		lists = 12
		planes = r.bits(1) == 1
	}
	colour = format != 0 && !planes
	r.ue()
	r.ue()
	r.bits(1)
	if r.bits(1) == 0 {
		return colour, planes
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
	return colour, planes
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

// spsPictureOrder reads pic_order_cnt_type and what of it decides on a slice's header.
func (r *bitReader) spsPictureOrder() (lsbBits int, deltas bool) {
	switch r.ue() {
	case 0:
		lsbBits = int(min(r.ue(), mostOrderBits-4)) + 4
	case 1:
		deltas = r.bits(1) == 0 // delta_pic_order_always_zero_flag
		r.ue()
		r.ue()
		for n := r.ue(); n > 0 && r.err == nil; n-- {
			r.ue()
		}
	}
	return lsbBits, deltas
}
