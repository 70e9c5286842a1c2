package codecs

// vp9Quantiser reads base_q_idx of every frame. Segments, which a few blocks may belong to, have other quantisers; the decoder exports
// each block's.
type vp9Quantiser struct{}

const vp9References = 3 // that a frame refers to

// Read goes through the uncompressed header of the unit's first frame up to quantization_params (VP9 bitstream
// specification, 6.2).
func (vp9Quantiser) Read(frame []byte) (q Quantised) {
	r := bitReader{data: frame}
	profile, key, ok := r.vp9Start()
	if !ok || r.vp9ShowsExisting(profile) {
		return q
	}
	shown, resilient := r.bits(1) == 1, r.bits(1) == 1
	switch {
	case key:
		r.bits(24) // sync code
		r.vp9Colour(profile)
		r.vp9Sizes()
	case !shown && r.bits(1) == 1:
		r.vp9IntraOnly(profile, resilient)
	default:
		r.vp9References(resilient)
	}
	if !resilient {
		r.bits(1 + 1) // refresh_frame_context, frame_parallel_decoding_mode
	}
	r.bits(2) // frame_context_idx
	r.vp9LoopFilter()
	index := r.bits(8)
	if r.err == nil {
		q.Step = VP9Step(float64(index))
	}
	return q
}

// vp9ShowsExisting reports whether the frame header whose start was read only shows an earlier frame.
func (r *bitReader) vp9ShowsExisting(profile uint32) bool {
	at := 4 // of show_existing_frame, in bits
	if profile == 3 {
		at++
	}
	return (&bitReader{data: r.data, pos: at}).bits(1) == 1
}

// vp9Sizes skips frame_size and render_size.
func (r *bitReader) vp9Sizes() {
	r.bits(16 + 16)
	r.vp9RenderSize()
}

func (r *bitReader) vp9RenderSize() {
	if r.bits(1) == 1 {
		r.bits(16 + 16)
	}
}

// vp9IntraOnly skips the fields of a frame that refers to none and is no key frame, after intra_only.
func (r *bitReader) vp9IntraOnly(profile uint32, resilient bool) {
	if !resilient {
		r.bits(2) // reset_frame_context
	}
	r.bits(24) // sync code
	if profile > 0 {
		r.vp9Colour(profile)
	}
	r.bits(8) // refresh_frame_flags
	r.vp9Sizes()
}

// vp9References skips the fields of a frame that refers to others, up to its interpolation filter.
func (r *bitReader) vp9References(resilient bool) {
	if !resilient {
		r.bits(2) // reset_frame_context
	}
	r.bits(8 + vp9References*(3+1)) // refresh_frame_flags; ref_frame_idx, ref_frame_sign_bias
	found := false
	for i := 0; i < vp9References && !found; i++ {
		found = r.bits(1) == 1
	}
	if !found {
		r.bits(16 + 16)
	}
	r.vp9RenderSize()
	r.bits(1)           // allow_high_precision_mv
	if r.bits(1) == 0 { // is_filter_switchable
		r.bits(2)
	}
}

// vp9LoopFilter skips loop_filter_params.
func (r *bitReader) vp9LoopFilter() {
	r.bits(6 + 3) // level, sharpness
	const deltas = 4 + 2
	if r.bits(1) == 0 { // loop_filter_delta_enabled
		return
	}
	if r.bits(1) == 0 { // loop_filter_delta_update
		return
	}
	for range deltas {
		if r.bits(1) == 1 {
			r.bits(6 + 1)
		}
	}
}
