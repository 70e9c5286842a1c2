#include "pixels.h"

#include <string.h>

// Weights are fixed-point numbers with 8 fractional bits. The horizontal pass drops 3 of
// them, so that its largest value, 255·32, fits into 13 bits; the vertical pass drops the
// other 13. Both round to nearest.
enum { places_cut = 3, places_end = 13 };

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint16_t lanes8 __attribute__((vector_size(2 * LP_LANES)));

// widen loads the first 8 of the 16 bytes at p, each into a lane of 16 bits.
LP_INLINE lanes8 widen(const uint8_t *p) {
	bytes v, none = {0};
	memcpy(&v, p, sizeof v);
	return (lanes8)__builtin_shufflevector(v, none, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline int clamp(int i, int n) { return i < 0 ? 0 : i < n ? i : n; }

// fill_row copies row y of the square; outside the picture the border pixels are repeated.
static void fill_row(uint8_t *row, const uint8_t *pix, lp_shape shape, lp_square square, int y) {
	const uint8_t *from = pix + clamp(square.top + y, shape.height - 1) * shape.stride;
	// The columns [begin, end) of the square lie inside the picture.
	int begin = clamp(-square.left, square.side), end = clamp(shape.width - square.left, square.side);
	for (int x = 0; x < begin; x++) memcpy(row + 3 * x, from, 3);
	if (begin < end) memcpy(row + 3 * begin, from + 3 * (square.left + begin), 3 * (end - begin));
	for (int x = end; x < square.side; x++) memcpy(row + 3 * x, from + 3 * (shape.width - 1), 3);
}

// horizontal writes 8 bytes for each pixel of 6; the next pixel overwrites the last two.
LP_INLINE void horizontal(int16_t *restrict out, const uint8_t *restrict row, const int32_t *first,
	const uint16_t *lanes, int taps, int size) {
	for (int x = 0; x < size; x++) {
		lanes8 sum = {0}, weight;
		for (int t = 0; t < taps; t++, lanes += LP_LANES) {
			memcpy(&weight, lanes, sizeof weight);
			sum += widen(row + 3 * (first[x] + t)) * weight;
		}
		sum = (sum + (1 << (places_cut - 1))) >> places_cut;
		memcpy(out + 3 * x, &sum, 8);
	}
}

// vertical sums the rows value by value: fastest for few rows, whose number the compiler knows.
LP_INLINE void vertical(uint8_t *restrict dst, const int16_t *const *rows, const uint16_t *weights, int taps, int n) {
	for (int i = 0; i < n; i++) {
		int sum = 1 << (places_end - 1);
		for (int t = 0; t < taps; t++) sum += rows[t][i] * (int16_t)weights[t];
		dst[i] = sum >> places_end;
	}
}

// vertical_many sums the rows one row after the other.
LP_INLINE void vertical_many(uint8_t *restrict dst, const int16_t *const *rows, const uint16_t *weights, int taps, int n,
	int32_t *restrict sums) {
	for (int i = 0; i < n; i++) sums[i] = 1 << (places_end - 1);
	for (int t = 0; t < taps; t++) {
		const int16_t *row = rows[t];
		int16_t weight = weights[t];
		for (int i = 0; i < n; i++) sums[i] += row[i] * weight;
	}
	for (int i = 0; i < n; i++) dst[i] = sums[i] >> places_end;
}

// repeat writes each weight into LP_LANES lanes.
LP_INLINE void repeat(uint16_t *restrict lanes, const uint16_t *weights, int n) {
	for (int i = 0; i < n; i++)
		for (int l = 0; l < LP_LANES; l++) lanes[LP_LANES * i + l] = weights[i];
}

LP_CLONES
void lp_resize(const uint8_t *pix, lp_shape shape, lp_square square, const int32_t *first,
	const uint16_t *weights, int taps, uint8_t *dst, int size, ptrdiff_t stride,
	uint8_t *row, int16_t *ring, uint16_t *lanes, int32_t *sums) {
	ptrdiff_t pitch = 3 * size + LP_RING_PAD;
	const int16_t *rows[taps];
	repeat(lanes, weights, taps * size);
	for (int y = 0, p = first[0]; y < size; y++, dst += stride, weights += taps) {
		for (; p < first[y] + taps; p++) {
			int16_t *out = ring + p % taps * pitch; // overwrites a row that is no longer needed
			fill_row(row, pix, shape, square, p);
			if (taps == 2) horizontal(out, row, first, lanes, 2, size);
			else if (taps == 3) horizontal(out, row, first, lanes, 3, size);
			else horizontal(out, row, first, lanes, taps, size);
		}
		for (int t = 0; t < taps; t++) rows[t] = ring + (first[y] + t) % taps * pitch;
		if (taps == 2) vertical(dst, rows, weights, 2, 3 * size);
		else if (taps == 3) vertical(dst, rows, weights, 3, 3 * size);
		else vertical_many(dst, rows, weights, taps, 3 * size, sums);
	}
}
