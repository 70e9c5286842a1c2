#include "quantiser.h"

#include <libavutil/pixdesc.h>
#include <libavutil/video_enc_params.h>

enum { most_side = 64 };

static int kind_of(enum AVVideoEncParamsType type) {
	switch (type) {
	case AV_VIDEO_ENC_PARAMS_H264: return LP_QUANTISER_H264;
	case AV_VIDEO_ENC_PARAMS_VP9: return LP_QUANTISER_VP9;
	default: return LP_QUANTISER_NONE;
	}
}

// cell is the one that a pixel falls into; blocks may reach past the frame's edge.
static int cell(int64_t pixel, int size, int side) {
	int64_t at = pixel * side / size;
	return at < 0 ? 0 : at >= side ? side - 1 : (int)at;
}

int lp_quantisers(const AVFrame *f, float *cells, int side) {
	const AVFrameSideData *data = av_frame_get_side_data(f, AV_FRAME_DATA_VIDEO_ENC_PARAMS);
	if (!data || side > most_side || f->width < 1 || f->height < 1) return LP_QUANTISER_NONE;
	AVVideoEncParams *params = (AVVideoEncParams *)data->data;
	float sums[most_side * most_side] = {0}, areas[most_side * most_side] = {0};
	for (unsigned i = 0; i < params->nb_blocks; i++) {
		const AVVideoBlockParams *b = av_video_enc_params_block(params, i);
		int x1 = cell(b->src_x, f->width, side), x2 = cell((int64_t)b->src_x + b->w - 1, f->width, side);
		int y1 = cell(b->src_y, f->height, side), y2 = cell((int64_t)b->src_y + b->h - 1, f->height, side);
		float area = (float)b->w * b->h / ((x2 - x1 + 1) * (y2 - y1 + 1)); // in equal parts to the cells that it touches
		for (int y = y1; y <= y2; y++)
			for (int x = x1; x <= x2; x++) {
				sums[y * side + x] += area * (params->qp + b->delta_qp);
				areas[y * side + x] += area;
			}
	}
	for (int i = 0; i < side * side; i++) cells[i] = areas[i] > 0 ? sums[i] / areas[i] : params->qp;
	return kind_of(params->type);
}

int lp_quantiser_offset(const AVFrame *f) {
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(f->format);
	return desc ? 6 * (desc->comp[0].depth - 8) : 0;
}
