// The loops over every pixel of a picture. They are in C because the C compiler
// vectorises them and Go's compiler does not.
#ifndef LIVEPROOF_DETECTOR_PIXELS_H
#define LIVEPROOF_DETECTOR_PIXELS_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "64-bit loads expect the first value in the lowest bits");

// LP_CLONES compiles a function twice, for AVX2 and for every x86-64 CPU; the loader
// picks the version that the CPU supports. This needs GCC and glibc. Helpers of such a
// function are LP_INLINE, so that they are compiled into both versions.
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

// lp_square is the place of a square in a picture; it may extend beyond the picture.
typedef struct {
	int left, top, side;
} lp_square;

// lp_rect is a rectangle within a picture, without the column right and the row bottom.
typedef struct {
	int left, top, right, bottom;
} lp_rect;

// lp_letterbox writes fit_width×fit_height pixels at the top left of each plane of
// dst. The planes are blue, green, red, with width×height values each. A written value is
// the mean of four pixels of pix, less mean of its plane. For output pixel x, y these lie
// in the rows ys[y] and ys[fit_height+y], at the byte offsets xs[x] and xs[fit_width+x].
// Scratch: sums holds 3·shape.width + 1 values, cells 2·fit_width.
void lp_letterbox(const uint8_t *pix, lp_shape shape, const uint32_t *xs, const uint32_t *ys,
	int fit_width, int fit_height, const float *mean, float *dst, int width, int height,
	uint16_t *sums, uint32_t *cells);

// Padding of lp_resize's scratch memory, so that whole vectors can be read and
// written at its ends, and the lanes of a vector.
enum { LP_ROW_PAD = 16, LP_RING_PAD = 2, LP_LANES = 8 };

// lp_resize writes size×size pixels into dst, whose rows begin stride bytes apart.
// Along each axis, output pixel i is the sum of the square's pixels first[i] …
// first[i]+taps-1, weighted by weights[taps·i] … weights[taps·i+taps-1], which add up to
// 256. Outside the picture its border pixels are repeated.
// Scratch: row holds 3·side + LP_ROW_PAD bytes, ring taps·(3·size + LP_RING_PAD) values,
// lanes LP_LANES·taps·size, sums 3·size.
void lp_resize(const uint8_t *pix, lp_shape shape, lp_square square, const int32_t *first,
	const uint16_t *weights, int taps, uint8_t *dst, int size, ptrdiff_t stride,
	uint8_t *row, int16_t *ring, uint16_t *lanes, int32_t *sums);

// The luma of BT.601 in full range, in units of 1/256, and the value from which
// a pixel counts as clipped.
enum { LP_LUMA_R = 77, LP_LUMA_G = 150, LP_LUMA_B = 29, LP_CLIPPED = 250 };

// lp_light_sums are sums over a picture: of the luma and its square, of the clipped pixels, over its inner pixels of
// the luma's Laplacian 0 1 0 / 1 -4 1 / 0 1 0 and its square, and of the squares of the differences between
// neighbours in a row (across) and in a column (down). levels counts the pixels of each luma in the middle
// of the picture, where a crop has nothing but the face.
typedef struct {
	int64_t luma, luma2, clipped, laplace, laplace2, across2, down2;
	uint32_t levels[256];
} lp_light_sums;

// lp_light measures a picture; middle is the rectangle whose levels are counted. Scratch: rows holds 3·shape.width
// values.
void lp_light(const uint8_t *pix, lp_shape shape, lp_rect middle, int16_t *rows, lp_light_sums *out);

#endif
