package codecs

// vp8Quantiser reads y_ac_qi of every frame. The differences of segments, which libvpx uses to refresh a few blocks of a
// frame, and those of other coefficients are left out.
type vp8Quantiser struct{}

// Read goes through the frame header up to quant_indices (RFC 6386, 9.2 to 9.6 and 19.2).
func (vp8Quantiser) Read(frame []byte) (q Quantised) {
	const tag = 3 // bytes
	if len(frame) < tag {
		return q
	}
	key := vp8IsKey(frame)
	first := frame[tag:]
	if key {
		if !vp8HasStartCode(frame) {
			return q
		}
		first = frame[vp8KeyHeader:]
	}
	r := boolReader{data: first, span: 255}
	r.value = r.next()<<8 | r.next()
	if key {
		r.literal(2) // color_space, clamping_type
	}
	r.vp8Segmentation()
	r.literal(1 + 6 + 3) // filter_type, loop_filter_level, sharpness_level
	r.vp8FilterDeltas()
	r.literal(2) // log2_nbr_of_dct_partitions
	index := r.literal(7)
	if r.short() {
		return q
	}
	q.Step = vp8Step(int(index))
	return q
}

func (r *boolReader) vp8Segmentation() {
	if r.literal(1) == 0 {
		return
	}
	updateMap, updateData := r.literal(1), r.literal(1)
	if updateData == 1 {
		r.literal(1)       // segment_feature_mode
		r.optional(4, 7+1) // quantiser with sign
		r.optional(4, 6+1) // loop filter level with sign
	}
	if updateMap == 1 {
		r.optional(3, 8)
	}
}

func (r *boolReader) vp8FilterDeltas() {
	enabled := r.literal(1) == 1
	if enabled && r.literal(1) == 1 {
		r.optional(4+4, 6+1)
	}
}

// boolReader is the boolean decoder of RFC 6386, 7.3, for headers, whose bits all have the probability 1/2.
type boolReader struct {
	data  []byte
	value uint32 // the next bits of the stream, of which the upper eight of 16 decide
	span  uint32 // of the current interval, [128, 255]
	bits  int    // that were shifted out of value since the last byte came in
	over  int    // bytes that were wanted after the end
}

func (r *boolReader) next() uint32 {
	if len(r.data) == 0 {
		r.over++
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return uint32(b)
}

// short reports whether more was read than there is; the decoder reads up to two bytes ahead.
func (r *boolReader) short() bool { return r.over > 2 }

func (r *boolReader) bool() uint32 {
	split := 1 + (r.span-1)/2 // times the probability 128/256
	bit := uint32(0)
	if r.value >= split<<8 {
		bit = 1
		r.span -= split
		r.value -= split << 8
	} else {
		r.span = split
	}
	for r.span < 128 {
		r.span <<= 1
		r.value <<= 1
		if r.bits++; r.bits == 8 {
			r.bits = 0
			r.value |= r.next()
		}
	}
	return bit
}

// literal is an unsigned number of n bits, most significant first.
func (r *boolReader) literal(n int) (v uint32) {
	for range n {
		v = v<<1 | r.bool()
	}
	return v
}

// optional skips times values of n bits, each behind a flag that says whether it is there.
func (r *boolReader) optional(times, n int) {
	for range times {
		if r.bool() == 1 {
			r.literal(n)
		}
	}
}
