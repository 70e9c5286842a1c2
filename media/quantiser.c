#include "quantiser.h"

#include <libavutil/video_enc_params.h>

static int kind_of(enum AVVideoEncParamsType type) {
	switch (type) {
	case AV_VIDEO_ENC_PARAMS_H264: return LP_QUANTISER_H264;
	case AV_VIDEO_ENC_PARAMS_VP9: return LP_QUANTISER_VP9;
	default: return LP_QUANTISER_NONE;
	}
}

int lp_quantiser(const AVFrame *f, double *mean) {
	const AVFrameSideData *side = av_frame_get_side_data(f, AV_FRAME_DATA_VIDEO_ENC_PARAMS);
	if (!side) return LP_QUANTISER_NONE;
	AVVideoEncParams *params = (AVVideoEncParams *)side->data;
	double sum = 0, area = 0;
	for (unsigned i = 0; i < params->nb_blocks; i++) {
		const AVVideoBlockParams *block = av_video_enc_params_block(params, i);
		double size = (double)block->w * block->h;
		sum += size * (params->qp + block->delta_qp);
		area += size;
	}
	*mean = area > 0 ? sum / area : params->qp;
	return kind_of(params->type);
}
