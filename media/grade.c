#include "grade.h"

#include <math.h>

static inline float clamp01(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

static inline int root(float x) { return (int)(__builtin_sqrtf(clamp01(x)) * lp_levels + 0.5f); }

static inline void grade(const lp_grade *g, const uint16_t *s, uint8_t *d) {
	const float *m = g->matrix;
	float r = g->linear[s[0] >> 4], gr = g->linear[s[1] >> 4], b = g->linear[s[2] >> 4];
	if (g->has_ootf) {
		float f = g->ootf[root(g->luminance[0] * r + g->luminance[1] * gr + g->luminance[2] * b)];
		r *= f, gr *= f, b *= f;
	}
	float x = m[0] * r + m[1] * gr + m[2] * b;
	float y = m[3] * r + m[4] * gr + m[5] * b;
	float z = m[6] * r + m[7] * gr + m[8] * b;
	float most = x > y ? x : y;
	if (z > most) most = z;
	if (most > g->knee) { // all three alike, so that the hue stays
		float f = g->scale * (most + g->offset) / (most + g->pole) / most;
		x *= f, y *= f, z *= f;
	}
	d[0] = g->code[root(x)];
	d[1] = g->code[root(y)];
	d[2] = g->code[root(z)];
}

void lp_grade_rows(const lp_grade *g, const uint8_t *src, int w, int h, ptrdiff_t ss, uint8_t *dst, ptrdiff_t ds) {
	for (int y = 0; y < h; y++) {
		const uint16_t *s = (const uint16_t *)(src + y * ss);
		uint8_t *d = dst + y * ds;
		for (int x = 0; x < w; x++, s += 3, d += 3) grade(g, s, d);
	}
}
