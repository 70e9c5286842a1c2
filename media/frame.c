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

struct SwsContext *lp_sws(const AVFrame *f) {
	enum AVPixelFormat fmt = plain(f->format);
	if (!sws_isSupportedInput(fmt)) return NULL;
	// The size stays: the filter only matters for chroma, and not for the usual
	// 8-bit 4:2:0 of even height, which has vector code of its own.
	struct SwsContext *ctx = sws_getContext(f->width, f->height, fmt, f->width, f->height,
		AV_PIX_FMT_RGB24, SWS_BICUBIC, NULL, NULL, NULL);
	if (!ctx) return NULL;
	int *inv, *fwd, src_range, dst_range, brightness, contrast, saturation;
	if (sws_getColorspaceDetails(ctx, &inv, &src_range, &fwd, &dst_range, &brightness, &contrast, &saturation) < 0)
		return ctx; // not YUV: there is nothing to set
	if (f->color_range == AVCOL_RANGE_JPEG || fmt != f->format) src_range = 1;
	else if (f->color_range == AVCOL_RANGE_MPEG) src_range = 0;
	// An unspecified matrix is BT.601, as browsers and FFmpeg take it.
	sws_setColorspaceDetails(ctx, sws_getCoefficients(f->colorspace), src_range, fwd, dst_range,
		brightness, contrast, saturation);
	return ctx;
}

int lp_rgb(struct SwsContext *ctx, const AVFrame *f, uint8_t *dst, int stride) {
	uint8_t *planes[4] = {dst};
	int strides[4] = {stride};
	return sws_scale(ctx, (const uint8_t *const *)f->data, f->linesize, 0, f->height, planes, strides);
}

static inline void put(uint8_t *d, const uint8_t *s) {
	d[0] = s[0];
	d[1] = s[1];
	d[2] = s[2];
}

// quarter turns by 90° (step from the bottom row up) or 270°, in tiles that stay in the first-level cache.
static void quarter(const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *dst, ptrdiff_t ds, int clockwise) {
	enum { tile = 32 };
	for (int y0 = 0; y0 < h; y0 += tile)
		for (int x0 = 0; x0 < w; x0 += tile)
			for (int x = x0; x < w && x < x0 + tile; x++)
				for (int y = y0; y < h && y < y0 + tile; y++) {
					uint8_t *d = clockwise ? dst + x * ds + 3 * (h - 1 - y) : dst + (w - 1 - x) * ds + 3 * y;
					put(d, src + y * ss + 3 * x);
				}
}

static void half(const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *dst, ptrdiff_t ds) {
	for (int y = 0; y < h; y++) {
		const uint8_t *s = src + y * ss;
		uint8_t *d = dst + (h - 1 - y) * ds + 3 * (w - 1);
		for (int x = 0; x < w; x++, s += 3, d -= 3) put(d, s);
	}
}

void lp_rotate(const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *dst, ptrdiff_t ds, int degrees) {
	if (degrees == 180) half(src, w, h, ss, dst, ds);
	else quarter(src, w, h, ss, dst, ds, degrees == 90);
}
