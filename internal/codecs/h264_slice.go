package codecs

// h264Quantiser reads the quantiser of each picture's first slice, and whether the deblocking filter is at work (ITU-T H.264,
// 7.3.3 and 8.7). x264's fastest preset and some hardware leave the filter out.
type h264Quantiser struct {
	lengthBytes int // of the length before each NAL unit; 0: start codes
	sequences   [lastSPS + 1]*sps
	pictures    map[uint32]pps // by id, at most lastPPS
}

// newH264Quantiser knows the parameter sets of a file's stream header, an AVCDecoderConfigurationRecord or Annex B; nil for a
// live stream.
func newH264Quantiser(streamHeader []byte) QuantiserReader {
	f := &h264Quantiser{lengthBytes: NALLengthBytes(false, streamHeader), pictures: map[uint32]pps{}}
	if f.lengthBytes == 0 {
		f.Read(streamHeader)
		return f
	}
	for nal := range avccSets(streamHeader) {
		f.learn(nal)
	}
	return f
}

// Read judges by the first slice of the unit's picture. A block may differ from its slice; the decoder exports each block's quantiser.
func (f *h264Quantiser) Read(unit []byte) (q Quantised) {
	for nal := range NALUnits(unit, f.lengthBytes) {
		if len(nal) < 2 {
			continue
		}
		switch nal[0] & 0x1f {
		case nalSPS, nalPPS:
			f.learn(nal)
		case nalSlice, nalIDR:
			return f.slice(nal)
		}
	}
	return q
}

func (f *h264Quantiser) learn(nal []byte) {
	if len(nal) < 2 {
		return
	}
	switch nal[0] & 0x1f {
	case nalSPS:
		if s, ok := readSPS(nal); ok && s.id <= lastSPS {
			f.sequences[s.id] = &s
		}
	case nalPPS:
		if p, ok := readPPS(nal); ok {
			f.pictures[p.id] = p
		}
	}
}

// slice reads a slice's header up to the filter's offsets. A filter that was weakened by them counts as none.
func (f *h264Quantiser) slice(nal []byte) (q Quantised) {
	const enough = 128 // bytes; a header with many commands for reference pictures is longer
	r := bitReader{data: unescape(nal[1:], enough)}
	r.ue() // first_mb_in_slice
	kind := r.ue() % 5
	p, ok := f.pictures[r.ue()]
	if !ok || p.sequence > lastSPS || f.sequences[p.sequence] == nil || r.err != nil {
		return q
	}
	s := sliceReader{bitReader: r, sps: f.sequences[p.sequence], pps: &p, kind: kind, idr: nal[0]&0x1f == nalIDR}
	s.pictureOrder()
	s.references(nal[0]&nalRefIDC != 0)
	qp := s.quantiser()
	q.Filtered = !p.filterControl || s.filtered()
	if s.err != nil || qp < lowestQP || qp > highestQP {
		return Quantised{}
	}
	q.Step = H264Step(float64(qp), q.Filtered)
	return q
}

// The range of SliceQPY (ITU-T H.264, 7.4.3), for samples of 14 bits at most.
const (
	lowestQP  = -36
	highestQP = 51
)

// pps is what is read of a picture parameter set.
type pps struct {
	id, sequence     uint32
	cabac            bool // entropy_coding_mode_flag
	fieldOrder       bool // bottom_field_pic_order_in_frame_present_flag
	l0, l1           uint32
	weightP, weightB bool  // there is a table of prediction weights
	initQP           int32 // 26 + pic_init_qp_minus26
	filterControl    bool  // deblocking_filter_control_present_flag
	redundantPicture bool  // redundant_pic_cnt_present_flag
}

// readPPS reads a picture parameter set, ITU-T H.264, 7.3.2.2. ok is false for one with slice groups, which no encoder uses
// for calls.
func readPPS(nal []byte) (p pps, ok bool) {
	const enough = 64
	r := bitReader{data: unescape(nal[1:], enough)}
	p.id, p.sequence = r.ue(), r.ue()
	p.cabac, p.fieldOrder = r.bits(1) == 1, r.bits(1) == 1
	groups := r.ue()
	p.l0, p.l1 = r.ue()+1, r.ue()+1
	p.weightP, p.weightB = r.bits(1) == 1, r.bits(2) == 1
	p.initQP = 26 + r.se()
	r.se() // pic_init_qs_minus26
	r.se() // chroma_qp_index_offset
	p.filterControl = r.bits(1) == 1
	r.bits(1) // constrained_intra_pred_flag
	p.redundantPicture = r.bits(1) == 1
	return p, r.err == nil && groups == 0 && p.id <= lastPPS && p.sequence <= lastSPS
}

// sliceReader reads a slice header after pic_parameter_set_id.
type sliceReader struct {
	bitReader
	*sps
	*pps
	kind uint32 // slice_type modulo 5
	idr  bool
}

// pictureOrder skips the fields from colour_plane_id to redundant_pic_cnt.
func (s *sliceReader) pictureOrder() {
	if s.planes {
		s.bits(2)
	}
	s.bits(s.frameNumBits)
	field := !s.framesOnly && s.bits(1) == 1
	if field {
		s.bits(1) // bottom_field_flag
	}
	if s.idr {
		s.ue() // idr_pic_id
	}
	bottom := s.fieldOrder && !field
	if s.orderBits > 0 {
		s.bits(s.orderBits)
		if bottom {
			s.se()
		}
	}
	if s.orderDeltas {
		s.se()
		if bottom {
			s.se()
		}
	}
	if s.redundantPicture {
		s.ue()
	}
}

// references skips what says which pictures the slice refers to, with which weights, and which are kept.
func (s *sliceReader) references(kept bool) {
	b, inter := s.kind == sliceB, s.kind == sliceP || s.kind == sliceSP || s.kind == sliceB
	l0, l1 := s.l0, s.l1
	if b {
		s.bits(1) // direct_spatial_mv_pred_flag
	}
	if inter && s.bits(1) == 1 { // num_ref_idx_active_override_flag
		l0 = s.ue() + 1
		if b {
			l1 = s.ue() + 1
		}
	}
	if inter {
		s.list()
	}
	if b {
		s.list()
	}
	if s.weightP && inter && !b || s.weightB && b {
		s.weights(l0, l1)
	}
	if kept {
		s.marking()
	}
}

// list skips the changes of one list of reference pictures.
func (s *sliceReader) list() {
	const end = 3
	if s.bits(1) == 0 {
		return
	}
	for s.err == nil && s.ue() != end {
		s.ue()
	}
}

func (s *sliceReader) weights(l0, l1 uint32) {
	s.ue() // luma_log2_weight_denom
	if s.colour {
		s.ue()
	}
	s.weightsOf(l0)
	if s.kind == sliceB {
		s.weightsOf(l1)
	}
}

func (s *sliceReader) weightsOf(pictures uint32) {
	for ; pictures > 0 && s.err == nil; pictures-- {
		if s.bits(1) == 1 {
			s.se()
			s.se()
		}
		if s.colour && s.bits(1) == 1 {
			for range 4 {
				s.se()
			}
		}
	}
}

// marking skips the commands for the decoder's picture buffer.
func (s *sliceReader) marking() {
	if s.idr {
		s.bits(2)
		return
	}
	if s.bits(1) == 0 {
		return
	}
	for s.err == nil {
		switch s.ue() { // memory_management_control_operation
		case 0:
			return
		case 1, 2, 4, 6:
			s.ue()
		case 3:
			s.ue()
			s.ue()
		}
	}
}

// quantiser reads the fields from cabac_init_idc to slice_qs_delta and returns SliceQPY.
func (s *sliceReader) quantiser() (qp int32) {
	intra := s.kind == sliceI || s.kind == sliceSI
	if s.cabac && !intra {
		s.ue()
	}
	qp = s.initQP + s.se()
	if s.kind == sliceSP {
		s.bits(1)
	}
	if s.kind == sliceSP || s.kind == sliceSI {
		s.se()
	}
	return qp
}

// filtered reads the fields of the deblocking filter.
func (s *sliceReader) filtered() bool {
	const off = 1
	if s.ue() == off {
		return false
	}
	alpha, beta := s.se(), s.se()
	return alpha >= 0 && beta >= 0
}
