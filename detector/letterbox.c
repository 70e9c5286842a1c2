#include "pixels.h"

#include <string.h>

LP_INLINE void add_rows(uint16_t *restrict sums, const uint8_t *upper, const uint8_t *lower, int n) {
	for (int i = 0; i < n; i++) sums[i] = upper[i] + lower[i];
}

// add_columns adds up two pixels for each cell. It loads a pixel's three 16-bit sums and
// the value behind them as one 64-bit integer; a sum of four bytes fits into 16 bits, so
// nothing carries into the neighbouring sum.
LP_INLINE void add_columns(uint32_t *restrict cells, const uint16_t *sums, const uint32_t *left, const uint32_t *right, int n) {
	for (int x = 0; x < n; x++) {
		uint64_t a, b;
		memcpy(&a, sums + left[x], sizeof a);
		memcpy(&b, sums + right[x], sizeof b);
		a += b;
		memcpy(cells + 2 * x, &a, sizeof a);
	}
}

LP_INLINE void split(float *restrict blue, float *restrict green, float *restrict red,
	const uint32_t *cells, const float *mean, int n) {
	for (int x = 0; x < n; x++) {
		uint32_t r_g = cells[2 * x], b = cells[2 * x + 1];
		red[x] = (int)(r_g & 0xffff) * 0.25f - mean[2];
		green[x] = (int)(r_g >> 16) * 0.25f - mean[1];
		blue[x] = (int)(b & 0xffff) * 0.25f - mean[0];
	}
}

LP_CLONES
void lp_letterbox(const uint8_t *pix, lp_shape shape, const uint32_t *xs, const uint32_t *ys,
	int fit_width, int fit_height, const float *mean, float *dst, int width, int height,
	uint16_t *sums, uint32_t *cells) {
	ptrdiff_t plane = (ptrdiff_t)width * height;
	for (int y = 0; y < fit_height; y++, dst += width) {
		add_rows(sums, pix + ys[y] * shape.stride, pix + ys[fit_height + y] * shape.stride, 3 * shape.width);
		add_columns(cells, sums, xs, xs + fit_width, fit_width);
		split(dst, dst + plane, dst + 2 * plane, cells, mean, fit_width);
	}
}
