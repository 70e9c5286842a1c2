#include "convert.h"

#include <libavutil/pixfmt.h>

struct SwsContext *lp_sws_encode(int from_w, int from_h, int to_w, int to_h) {
	// Area averages are what is left of detail when a camera gives a smaller picture.
	int flags = SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP;
	struct SwsContext *ctx =
		sws_getContext(from_w, from_h, AV_PIX_FMT_RGB24, to_w, to_h, AV_PIX_FMT_YUV420P, flags, NULL, NULL, NULL);
	if (!ctx) return NULL;
	const int *bt601 = sws_getCoefficients(SWS_CS_ITU601);
	const int one = 1 << 16;
	if (sws_setColorspaceDetails(ctx, bt601, 1, bt601, 0, 0, one, one) < 0) {
		sws_freeContext(ctx);
		return NULL;
	}
	return ctx;
}

int lp_encode_yuv(struct SwsContext *ctx, const uint8_t *rgb, int stride, int height, AVFrame *frame) {
	const uint8_t *const from[4] = {rgb};
	const int strides[4] = {stride};
	return sws_scale(ctx, from, strides, 0, height, frame->data, frame->linesize);
}
