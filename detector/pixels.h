// The loops over every pixel of a picture, in C because its compiler turns them
// into vector instructions and Go's does not.
#ifndef LIVEPROOF_DETECTOR_PIXELS_H
#define LIVEPROOF_DETECTOR_PIXELS_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "wide loads take the first value as the lowest");

// LP_CLONES compiles a function twice, for AVX2 and for every processor; the
// program takes the one that its processor can run when it starts. Only GCC with
// glibc can do so. LP_INLINE puts a part of such a function into both.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define LP_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define LP_CLONES
#endif
#define LP_INLINE static inline __attribute__((always_inline))

// lp_shape is the size of an RGB picture and the bytes between its rows' starts.
typedef struct {
	int width, height;
	ptrdiff_t stride;
} lp_shape;

// lp_square is a square's place in a picture, which it may leave.
typedef struct {
	int left, top, side;
} lp_square;

// lp_letterbox writes fit_width×fit_height pixels at the top left of the planes
// of dst, width×height values each, in the order blue, green, red. Each is the
// mean of four pixels of pix, less its plane's value in mean. They lie in the rows
// ys[y] and ys[fit_height+y], at the values xs[x] and xs[fit_width+x] of a row.
// sums holds 3·shape.width + 1 values, cells 2·fit_width.
void lp_letterbox(const uint8_t *pix, lp_shape shape, const uint32_t *xs, const uint32_t *ys,
	int fit_width, int fit_height, const float *mean, float *dst, int width, int height,
	uint16_t *sums, uint32_t *cells);

// What the memory that lp_resize works in has to hold beyond its values, so that
// whole vectors can be read and written.
enum { LP_ROW_PAD = 16, LP_RING_PAD = 2, LP_LANES = 8 };

// lp_resize writes size×size pixels into dst, whose rows are 3·size bytes long
// and stride apart. Output pixel i is made of the pixels first[i] … first[i]+taps-1 of
// the square along each axis, with the weights weights[taps·i …], which sum to
// 256. The picture's border pixels are repeated outside of it.
// row holds 3·side + LP_ROW_PAD bytes, ring taps·(3·size + LP_RING_PAD) values,
// lanes LP_LANES·taps·size, sums 3·size.
void lp_resize(const uint8_t *pix, lp_shape shape, lp_square square, const int32_t *first,
	const uint16_t *weights, int taps, uint8_t *dst, int size, ptrdiff_t stride,
	uint8_t *row, int16_t *ring, uint16_t *lanes, int32_t *sums);

// The luma of BT.601 in full range, in units of 1/256, and the value from which
// a pixel counts as clipped.
enum { LP_LUMA_R = 77, LP_LUMA_G = 150, LP_LUMA_B = 29, LP_CLIPPED = 250 };

// lp_light_sums adds up over a picture: the luma, the clipped pixels, and over
// the inner pixels the Laplacian 0 1 0 / 1 -4 1 / 0 1 0 of the luma and its square.
typedef struct {
	int64_t luma, clipped, laplace, laplace2;
} lp_light_sums;

// lp_light works in rows, which holds 3·shape.width values.
lp_light_sums lp_light(const uint8_t *pix, lp_shape shape, int16_t *rows);

#endif
