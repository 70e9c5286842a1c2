#include "frame.h"

int lp_damaged(const AVFrame *f) {
	return (f->flags & AV_FRAME_FLAG_CORRUPT) || f->decode_error_flags;
}

// plain maps the deprecated full-range formats onto the ordinary ones; the
// range is given to libswscale beside them.
static enum AVPixelFormat plain(enum AVPixelFormat fmt) {
	switch (fmt) {
	case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
	case AV_PIX_FMT_YUVJ411P: return AV_PIX_FMT_YUV411P;
	case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
	case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
	case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
	default: return fmt;
	}
}

// field tells whether only the upper field is used. The two fields of an interlaced frame were taken at different times: together
// they comb everything that moves.
static int field(const AVFrame *f) {
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(f->format);
	return f->interlaced_frame && f->height > 1 && desc && !(desc->flags & AV_PIX_FMT_FLAG_PAL);
}

static int rows(const AVFrame *f) { return field(f) ? (f->height + 1) / 2 : f->height; }

struct SwsContext *lp_sws(const AVFrame *f, int w, int h, int matrix, int deep) {
	enum AVPixelFormat fmt = plain(f->format);
	if (!sws_isSupportedInput(fmt)) return NULL;
	// Where the size stays, the filter only matters for chroma, and not for the usual
	// 8-bit 4:2:0 of even height, which has vector code of its own.
	struct SwsContext *ctx = sws_getContext(f->width, rows(f), fmt, w, h,
		deep ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24,
		deep ? SWS_BICUBIC | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND : SWS_BICUBIC, NULL, NULL, NULL);
	if (!ctx) return NULL;
	int *inv, *fwd, src_range, dst_range, brightness, contrast, saturation;
	if (sws_getColorspaceDetails(ctx, &inv, &src_range, &fwd, &dst_range, &brightness, &contrast, &saturation) < 0)
		return ctx; // not YUV: there is nothing to set
	if (f->color_range == AVCOL_RANGE_JPEG || fmt != f->format) src_range = 1;
	else if (f->color_range == AVCOL_RANGE_MPEG) src_range = 0;
	sws_setColorspaceDetails(ctx, sws_getCoefficients(matrix), src_range, fwd, dst_range,
		brightness, contrast, saturation);
	return ctx;
}

int lp_rgb(struct SwsContext *ctx, const AVFrame *f, uint8_t *dst, int stride) {
	uint8_t *planes[4] = {dst};
	int strides[4] = {stride};
	int from[AV_NUM_DATA_POINTERS];
	for (int i = 0; i < AV_NUM_DATA_POINTERS; i++) from[i] = f->linesize[i] * (1 + field(f));
	return sws_scale(ctx, (const uint8_t *const *)f->data, from, 0, rows(f), planes, strides);
}
