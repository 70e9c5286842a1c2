#include "frame.h"

#include <string.h>

int lp_planes(const AVFrame *f, lp_plane out[4]) {
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(f->format);
	if (!desc || (desc->flags & AV_PIX_FMT_FLAG_HWACCEL)) return -1;
	int n = av_pix_fmt_count_planes(f->format);
	for (int i = 0; i < n; i++) {
		int bytes = av_image_get_linesize(f->format, f->width, i);
		if (bytes < 0 || !f->data[i]) return -1;
		int shift = (i == 1 || i == 2) ? desc->log2_chroma_h : 0;
		out[i] = (lp_plane){f->data[i], f->linesize[i], bytes, AV_CEIL_RSHIFT(f->height, shift)};
	}
	if ((desc->flags & AV_PIX_FMT_FLAG_PAL) && f->data[1])
		out[n++] = (lp_plane){f->data[1], AVPALETTE_SIZE, AVPALETTE_SIZE, 1};
	return n;
}

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

// span is which samples of n make cell i of side: from, up to, every step-th.
typedef struct {
	int from, to, step;
} span;

static span cell(int i, int n, int side) {
	int from = (int)((int64_t)i * n / side), to = (int)((int64_t)(i + 1) * n / side);
	if (to <= from) to = from + 1; // fewer samples than cells
	int step = (to - from) / 5;
	return (span){from, to, step > 1 ? step : 1};
}

// bytes8 and words add up the span of a line: of plain bytes, step apart, or of
// what av_read_image_line2 made of it.
static uint32_t bytes8(const uint8_t *row, int step, span s) {
	uint32_t sum = 0;
	for (int x = s.from; x < s.to; x += s.step) sum += row[x * step];
	return sum;
}

static uint32_t words(const uint16_t *line, int depth, span s) {
	uint32_t sum = 0;
	for (int x = s.from; x < s.to; x += s.step)
		sum += depth > 8 ? line[x] >> (depth - 8) : line[x] << (8 - depth);
	return sum;
}

int lp_thumbnail(const AVFrame *f, uint8_t *out, int side) {
	enum { widest = 1 << 15 };
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(f->format);
	if (!desc || (desc->flags & AV_PIX_FMT_FLAG_HWACCEL)) return -1;
	const AVComponentDescriptor *c = &desc->comp[0];
	if (!f->data[c->plane] || c->depth > 16 || f->width < 1 || f->width > widest || f->height < 1) return -1;
	int palette = !!(desc->flags & AV_PIX_FMT_FLAG_PAL);
	int plain8 = c->depth == 8 && c->shift == 0 && !palette && !(desc->flags & AV_PIX_FMT_FLAG_BITSTREAM);
	uint16_t line[plain8 ? 1 : f->width];
	span xs[side];
	for (int gx = 0; gx < side; gx++) xs[gx] = cell(gx, f->width, side);
	for (int gy = 0; gy < side; gy++) {
		span ys = cell(gy, f->height, side);
		uint32_t sum[side], rows = 0;
		memset(sum, 0, sizeof sum);
		for (int y = ys.from; y < ys.to; y += ys.step, rows++) {
			const uint8_t *row = f->data[c->plane] + (ptrdiff_t)y * f->linesize[c->plane] + c->offset;
			if (!plain8)
				av_read_image_line2(line, (const uint8_t **)f->data, f->linesize, desc, 0, y, 0, f->width, palette, sizeof *line);
			for (int gx = 0; gx < side; gx++)
				sum[gx] += plain8 ? bytes8(row, c->step, xs[gx]) : words(line, c->depth, xs[gx]);
		}
		for (int gx = 0; gx < side; gx++) {
			uint32_t n = rows * ((xs[gx].to - xs[gx].from + xs[gx].step - 1) / xs[gx].step);
			out[gy * side + gx] = (uint8_t)((sum[gx] + n / 2) / n);
		}
	}
	return 0;
}
