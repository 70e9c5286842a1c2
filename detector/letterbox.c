#include "pixels.h"

#include <string.h>

LP_INLINE void add_rows(uint16_t *restrict sums, const uint8_t *upper, const uint8_t *lower, int n) {
	for (int i = 0; i < n; i++) sums[i] = upper[i] + lower[i];
}

// add_columns adds two pixels of sums for each cell. A pixel and the value behind
// it are 64 bits; its three sums of four bytes never carry into their neighbour.
LP_INLINE void add_columns(uint16_t *restrict cells, const uint16_t *sums, const int32_t *xs, int n) {
	for (int x = 0; x < n; x++) {
		uint64_t a, b;
		memcpy(&a, sums + xs[2 * x], sizeof a);
		memcpy(&b, sums + xs[2 * x + 1], sizeof b);
		a += b;
		memcpy(cells + 4 * x, &a, sizeof a);
	}
}

LP_INLINE void split(float *restrict blue, float *restrict green, float *restrict red,
	const uint16_t *cells, const float *mean, int n) {
	for (int x = 0; x < n; x++) {
		red[x] = cells[4 * x] * 0.25f - mean[2];
		green[x] = cells[4 * x + 1] * 0.25f - mean[1];
		blue[x] = cells[4 * x + 2] * 0.25f - mean[0];
	}
}

LP_CLONES
void lp_letterbox(const uint8_t *pix, lp_shape shape, const int32_t *xs, const int32_t *ys,
	int fit_width, int fit_height, const float *mean, float *dst, int width, int height,
	uint16_t *sums, uint16_t *cells) {
	ptrdiff_t plane = (ptrdiff_t)width * height;
	for (int y = 0; y < fit_height; y++, dst += width) {
		add_rows(sums, pix + ys[2 * y] * shape.stride, pix + ys[2 * y + 1] * shape.stride, 3 * shape.width);
		add_columns(cells, sums, xs, fit_width);
		split(dst, dst + plane, dst + 2 * plane, cells, mean, fit_width);
	}
}
