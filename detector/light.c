#include "pixels.h"

// luma_row writes the luma of one row, and adds its sum, its sum of squares and its clipped pixels to out.
LP_INLINE void luma_row(int16_t *restrict luma, const uint8_t *p, int n, lp_light_sums *out) {
	int sum = 0, squares = 0, clipped = 0; // 255² · n fits for rows of up to 33,000 pixels
	for (int x = 0; x < n; x++) {
		luma[x] = (LP_LUMA_R * p[3 * x] + LP_LUMA_G * p[3 * x + 1] + LP_LUMA_B * p[3 * x + 2]) >> 8;
		sum += luma[x];
		squares += luma[x] * luma[x];
		clipped += luma[x] >= LP_CLIPPED;
	}
	out->luma += sum;
	out->luma2 += squares;
	out->clipped += clipped;
}

// detail_row adds the Laplacian of the middle row, and its differences to the right and downwards.
LP_INLINE void detail_row(const int16_t *above, const int16_t *middle, const int16_t *below, int n, lp_light_sums *out) {
	int sum = 0, across = 0, down = 0;
	int64_t squares = 0;
	for (int x = 1; x < n - 1; x++) {
		int16_t v = above[x] + below[x] + middle[x - 1] + middle[x + 1] - 4 * middle[x];
		int16_t dx = middle[x + 1] - middle[x], dy = below[x] - middle[x];
		sum += v;
		squares += v * v;
		across += dx * dx;
		down += dy * dy;
	}
	out->laplace += sum;
	out->laplace2 += squares;
	out->across2 += across;
	out->down2 += down;
}

LP_CLONES
void lp_light(const uint8_t *pix, lp_shape shape, lp_rect face, int16_t *rows, lp_light_sums *out) {
	int n = shape.width;
	int16_t *above = rows, *middle = rows + n, *below = rows + 2 * n;
	for (int y = 0; y < shape.height; y++) {
		int16_t *free = above;
		above = middle, middle = below, below = free;
		luma_row(below, pix + y * shape.stride, n, out);
		if (y >= face.top && y < face.bottom) {
			for (int x = face.left; x < face.right; x++) out->levels[below[x]]++;
		}
		if (y >= 2) detail_row(above, middle, below, n, out);
	}
}
