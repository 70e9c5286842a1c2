package codecs

// av1Sequence is what a frame header depends on of the sequence header (AV1 specification, 5.5.1).
type av1Sequence struct {
	reduced uint32 // reduced_still_picture_header

	timed      bool // a shown frame has its presentation time
	timeBits   int
	modelled   bool // decoder_model_info_present_flag
	removeBits int
	points     []av1Point

	widthBits, heightBits int
	width, height         int
	idBits, deltaBits     int // of frame numbers, 0 without them
	large                 bool
	superres              bool
	orderBits             int
	screenContent         uint32 // seq_force_screen_content_tools, 2: each frame says
	integerMV             uint32 // seq_force_integer_mv, 2: each frame says
	refMVs                bool
}

// av1Point is an operating point.
type av1Point struct {
	layers   uint32 // operating_point_idc
	modelled bool
}

const av1EachFrameSays = 2

func readAV1Sequence(body []byte) (av1Sequence, bool) {
	r := bitReader{data: body}
	var s av1Sequence
	r.bits(3 + 1) // seq_profile, still_picture
	s.reduced = r.bits(1)
	if s.reduced == 1 {
		r.bits(5) // seq_level_idx
	} else {
		s.readPoints(&r)
	}
	s.readSize(&r)
	s.large = r.bits(1) == 1
	r.bits(2) // enable_filter_intra, enable_intra_edge_filter
	s.screenContent, s.integerMV = av1EachFrameSays, av1EachFrameSays
	if s.reduced == 0 {
		s.readTools(&r)
	}
	s.superres = r.bits(1) == 1
	return s, r.err == nil
}

// readPoints reads timing_info to the operating points.
func (s *av1Sequence) readPoints(r *bitReader) {
	delayBits := 0
	if r.bits(1) == 1 { // timing_info_present_flag
		r.bits(32 + 32) // num_units_in_display_tick, time_scale
		equal := r.bits(1)
		if equal == 1 {
			r.ue() // num_ticks_per_picture_minus_1 is coded alike (uvlc)
		}
		if s.modelled = r.bits(1) == 1; s.modelled {
			delayBits = int(r.bits(5)) + 1
			r.bits(32) // num_units_in_decoding_tick
			s.removeBits, s.timeBits = int(r.bits(5))+1, int(r.bits(5))+1
			s.timed = equal == 0
		}
	}
	delays := r.bits(1) // initial_display_delay_present_flag
	s.points = make([]av1Point, r.bits(5)+1)
	for i := range s.points {
		p := &s.points[i]
		p.layers = r.bits(12)
		if r.bits(5) > 7 {
			r.bits(1) // seq_tier
		}
		if s.modelled {
			if p.modelled = r.bits(1) == 1; p.modelled {
				r.bits(2*delayBits + 1)
			}
		}
		if delays == 1 && r.bits(1) == 1 {
			r.bits(4)
		}
	}
}

func (s *av1Sequence) readSize(r *bitReader) {
	s.widthBits, s.heightBits = int(r.bits(4))+1, int(r.bits(4))+1
	s.width, s.height = int(r.bits(s.widthBits))+1, int(r.bits(s.heightBits))+1
	if s.reduced == 0 && r.bits(1) == 1 { // frame_id_numbers_present_flag
		s.deltaBits = int(r.bits(4)) + 2
		s.idBits = s.deltaBits + int(r.bits(3)) + 1
	}
}

// readTools reads enable_interintra_compound to OrderHintBits.
func (s *av1Sequence) readTools(r *bitReader) {
	r.bits(4) // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
	ordered := r.bits(1)
	if ordered == 1 {
		r.bits(1) // enable_jnt_comp
		s.refMVs = r.bits(1) == 1
	}
	if r.bits(1) == 0 { // seq_choose_screen_content_tools
		s.screenContent = r.bits(1)
	}
	if s.screenContent > 0 && r.bits(1) == 0 { // seq_choose_integer_mv
		s.integerMV = r.bits(1)
	}
	if ordered == 1 {
		s.orderBits = int(r.bits(3)) + 1
	}
}
