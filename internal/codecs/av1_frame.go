package codecs

import "errors"

var errAV1Unsupported = errors.New("header has a rare feature that is not read")

// av1Frame reads a frame header up to base_q_idx (AV1 specification, 5.9.2, whose names the comments have).
type av1Frame struct {
	bitReader
	seq               *av1Sequence
	slots             *[av1Slots]av1Shown
	temporal, spatial uint32

	kind          uint32 // frame_type
	shown         bool
	resilient     bool // error_resilient_mode
	override      bool // frame_size_override_flag
	screenContent bool
	integerMV     bool
	noCDFUpdate   bool
	refresh       uint32 // refresh_frame_flags
	size          av1Size
}

func (h *av1Frame) flag() bool { return h.bits(1) == 1 }

func (h *av1Frame) intra() bool { return h.kind == av1Key || h.kind == av1IntraOnly }

// read follows show_existing_frame = 0.
func (h *av1Frame) read() (baseQIndex uint32) {
	h.readKind()
	h.readTools()
	h.readRefresh()
	if h.intra() {
		h.readSize()
		h.readRenderSize()
		if h.screenContent && !h.size.scaled {
			h.bits(1) // allow_intrabc
		}
	} else {
		h.readReferences()
	}
	if h.seq.reduced == 0 && !h.noCDFUpdate {
		h.bits(1) // disable_frame_end_update_cdf
	}
	h.readTiles()
	return h.bits(8)
}

func (h *av1Frame) readKind() {
	if h.seq.reduced == 1 {
		h.kind, h.shown, h.resilient = av1Key, true, true
		return
	}
	h.kind = h.bits(2)
	if h.shown = h.flag(); !h.shown {
		h.bits(1) // showable_frame
	} else if h.seq.timed {
		h.bits(h.seq.timeBits) // frame_presentation_time
	}
	h.resilient = h.kind == av1Switch || h.kind == av1Key && h.shown || h.flag()
}

// readTools reads disable_cdf_update to buffer_removal_time.
func (h *av1Frame) readTools() {
	h.noCDFUpdate = h.flag()
	if h.screenContent = h.seq.screenContent == 1; h.seq.screenContent == av1EachFrameSays {
		h.screenContent = h.flag()
	}
	if h.screenContent {
		if h.integerMV = h.seq.integerMV == 1; h.seq.integerMV == av1EachFrameSays {
			h.integerMV = h.flag()
		}
	}
	h.bits(h.seq.idBits) // current_frame_id
	h.override = h.kind == av1Switch || h.seq.reduced == 0 && h.flag()
	h.bits(h.seq.orderBits) // order_hint
	if !h.intra() && !h.resilient {
		h.bits(3) // primary_ref_frame
	}
	if h.seq.modelled && h.flag() { // buffer_removal_time_present_flag
		for _, p := range h.seq.points {
			if p.modelled && (p.layers == 0 || p.layers>>h.temporal&1 == 1 && p.layers>>(h.spatial+8)&1 == 1) {
				h.bits(h.seq.removeBits)
			}
		}
	}
}

func (h *av1Frame) readRefresh() {
	const all = 1<<av1Slots - 1
	h.refresh = all
	if !(h.kind == av1Switch || h.kind == av1Key && h.shown) {
		h.refresh = h.bits(av1Slots)
	}
	if (!h.intra() || h.refresh != all) && h.resilient {
		h.bits(av1Slots * h.seq.orderBits) // ref_order_hint
	}
}

// readReferences reads what only inter frames have.
func (h *av1Frame) readReferences() {
	short := h.seq.orderBits > 0 && h.flag() // frame_refs_short_signaling
	if short {
		h.bits(3 + 3) // last_frame_idx, gold_frame_idx
	}
	var refs [av1Refs]uint32
	for i := range refs {
		if !short {
			refs[i] = h.bits(3)
		}
		h.bits(h.seq.deltaBits) // delta_frame_id_minus_1
	}
	if h.override && !h.resilient {
		h.readSizeFrom(refs, short)
	} else {
		h.readSize()
		h.readRenderSize()
	}
	if !h.integerMV {
		h.bits(1) // allow_high_precision_mv
	}
	if !h.flag() { // is_filter_switchable
		h.bits(2) // interpolation_filter
	}
	h.bits(1) // is_motion_mode_switchable
	if !h.resilient && h.seq.refMVs {
		h.bits(1) // use_ref_frame_mvs
	}
}

func (h *av1Frame) readSize() {
	h.size = av1Size{width: h.seq.width, height: h.seq.height}
	if h.override {
		h.size.width, h.size.height = int(h.bits(h.seq.widthBits))+1, int(h.bits(h.seq.heightBits))+1
	}
	h.readSuperres()
}

// readSuperres reads superres_params: the frame is coded narrower than it is shown.
func (h *av1Frame) readSuperres() {
	if h.size.scaled = h.seq.superres && h.flag(); !h.size.scaled {
		return
	}
	const numerator = 8
	denominator := int(h.bits(3)) + 9 // coded_denom
	h.size.width = (h.size.width*numerator + denominator/2) / denominator
}

func (h *av1Frame) readRenderSize() {
	if h.flag() { // render_and_frame_size_different
		h.bits(16 + 16)
	}
}

// readSizeFrom reads frame_size_with_refs. A size that was narrowed is not known as a reference's, nor are
// references that the decoder finds by order hints.
func (h *av1Frame) readSizeFrom(refs [av1Refs]uint32, short bool) {
	for _, ref := range refs {
		if !h.flag() { // found_ref
			continue
		}
		if h.size = h.slots[ref].size; short || h.size.scaled || h.size.width == 0 {
			h.err = errAV1Unsupported
		}
		h.readSuperres()
		return
	}
	h.readSize()
	h.readRenderSize()
}

// readTiles reads tile_info (5.9.15) of equally spaced tiles.
func (h *av1Frame) readTiles() {
	shift := 4 // a superblock has 16 units of four pixels, or 32
	if h.seq.large {
		shift = 5
	}
	superblocks := func(pixels int) int { return (2*((pixels+7)>>3) + 1<<shift - 1) >> shift }
	columns, rows := superblocks(h.size.width), superblocks(h.size.height)
	const widest, largest, most = 4096, 4096 * 2304, 64 // MAX_TILE_WIDTH, MAX_TILE_AREA, MAX_TILE_COLS and _ROWS
	least := tileLog2(widest>>(shift+2), columns)
	leastTiles := max(least, tileLog2(largest>>(2*(shift+2)), rows*columns))
	if !h.flag() { // uniform_tile_spacing_flag
		h.err = errAV1Unsupported
		return
	}
	acrossLog2 := h.increment(least, tileLog2(1, min(columns, most)))
	downLog2 := h.increment(max(leastTiles-acrossLog2, 0), tileLog2(1, min(rows, most)))
	if acrossLog2+downLog2 > 0 {
		h.bits(acrossLog2 + downLog2 + 2) // context_update_tile_id, tile_size_bytes_minus_1
	}
}

// increment reads ones that each add one, up to the most.
func (h *av1Frame) increment(from, most int) int {
	for from < most && h.flag() {
		from++
	}
	return from
}

// tileLog2 is the least k with block<<k ≥ target.
func tileLog2(block, target int) (k int) {
	for block<<k < target {
		k++
	}
	return k
}
