#include "turn.h"

#include <string.h>

static inline void put(uint8_t *d, const uint8_t *s) {
	d[0] = s[0];
	d[1] = s[1];
	d[2] = s[2];
}

// across writes what was a row as a column, in tiles that stay in the first-level cache. first is where
// the first pixel goes; dx and dy are the distances in dst of two neighbours in a row and in a column of src.
static void across(const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *first, ptrdiff_t dx, ptrdiff_t dy) {
	enum { tile = 32 };
	for (int y0 = 0; y0 < h; y0 += tile)
		for (int x0 = 0; x0 < w; x0 += tile)
			for (int x = x0; x < w && x < x0 + tile; x++) {
				uint8_t *d = first + x * dx + y0 * dy;
				const uint8_t *s = src + y0 * ss + 3 * x;
				for (int y = y0; y < h && y < y0 + tile; y++, d += dy, s += ss) put(d, s);
			}
}

// along keeps rows as rows.
static void along(const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *first, ptrdiff_t dx, ptrdiff_t dy) {
	for (int y = 0; y < h; y++) {
		const uint8_t *s = src + y * ss;
		uint8_t *d = first + y * dy;
		if (dx == 3) {
			memcpy(d, s, (size_t)w * 3);
			continue;
		}
		for (int x = 0; x < w; x++, s += 3, d += dx) put(d, s);
	}
}

void lp_turn(const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *dst, ptrdiff_t ds, int mirrored, int quarters) {
	ptrdiff_t dx = 3, dy = ds, first = 0;
	if (quarters == 1) dx = ds, dy = -3, first = 3 * (ptrdiff_t)(h - 1);
	if (quarters == 2) dx = -3, dy = -ds, first = (h - 1) * ds + 3 * (ptrdiff_t)(w - 1);
	if (quarters == 3) dx = -ds, dy = 3, first = (w - 1) * ds;
	if (mirrored) {
		first += (w - 1) * dx;
		dx = -dx;
	}
	if (quarters & 1) across(src, w, h, ss, dst + first, dx, dy);
	else along(src, w, h, ss, dst + first, dx, dy);
}
