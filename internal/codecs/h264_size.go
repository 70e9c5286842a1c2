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

// sps is what is read of a sequence parameter set.
type sps struct {
	id            uint32
	references    uint32 // max_num_ref_frames
	framesOnly    bool   // frame_mbs_only_flag
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
	if hasChromaFormat(profile) {
		r.spsChroma()
	}
	r.ue() // log2_max_frame_num_minus4
	r.spsPictureOrder()
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
