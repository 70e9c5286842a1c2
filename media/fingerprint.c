#include "fingerprint.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <string.h>

// FAST compiles a function twice, for AVX2 and for every x86-64 CPU; the loader picks the version that the CPU supports.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define FAST __attribute__((target_clones("avx2", "default")))
#else
#define FAST
#endif

// ALIGNED keeps vectors from crossing cache lines, which would halve the speed.
#define ALIGNED __attribute__((aligned(64)))

enum {
	widest = 1 << 15, // pixels
	deepest = 8,      // bytes from one pixel to the next
};

// span is the samples of a cell along one axis: from … to-1, every step-th of them, count in all.
typedef struct {
	int from, to, step, count;
} span;

static span cell(int i, int n, int side) {
	int from = (int)((int64_t)i * n / side), to = (int)((int64_t)(i + 1) * n / side);
	if (to <= from) to = from + 1; // fewer samples than cells
	int step = (to - from) / 5;
	if (step < 1) step = 1;
	return (span){from, to, step, (to - from + step - 1) / step};
}

// The digest evaluates, for each column of bytes, a polynomial over the rows of a cell
// (modulo 2^16), and one over the cells (modulo 2^32). The factors are odd, so that a single
// byte that differs always changes the digest. They are those of well-known linear
// congruential generators, whose period is the longest possible, so that the same
// change in another row changes the digest differently.
enum { row_factor = 25173, cell_factor = 1664525 };

FAST static void fold_row(uint16_t *restrict folds, const uint8_t *restrict row, int n) {
	for (int x = 0; x < n; x++) folds[x] = folds[x] * row_factor + row[x];
}

FAST static void fold_and_add(uint16_t *restrict folds, uint16_t *restrict sums, const uint8_t *restrict row, int n) {
	for (int x = 0; x < n; x++) {
		folds[x] = folds[x] * row_factor + row[x];
		sums[x] += row[x];
	}
}

FAST static void fold_cell(uint32_t *restrict all, const uint16_t *restrict folds, int n) {
	for (int x = 0; x < n; x++) all[x] = all[x] * cell_factor + folds[x];
}

static uint64_t mixed(uint64_t h) { // MurmurHash3's finaliser
	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

static uint64_t digest(const uint32_t *all, int n, int width, int height) {
	uint64_t h = mixed((uint64_t)width << 32 | height);
	for (int x = 0; x < n; x++) h = mixed(h ^ all[x]);
	return h;
}

// add_words adds a row of samples that are not plain bytes, each reduced or widened to eight bits.
static void add_words(uint16_t *sums, const uint16_t *row, int n, int depth) {
	for (int x = 0; x < n; x++) sums[x] += depth > 8 ? row[x] >> (depth - 8) : row[x] << (8 - depth);
}

// average writes one row of cells. sums holds the samples added up over this many rows, step values apart.
static void average(uint8_t *out, const uint16_t *sums, int step, const span *xs, int side, uint32_t rows) {
	enum { bits = 24 }; // exact for up to 100 samples of eight bits
	uint32_t n = 0, inverse = 0;
	for (int gx = 0; gx < side; gx++) {
		uint32_t sum = 0, samples = rows * xs[gx].count;
		for (int x = xs[gx].from; x < xs[gx].to; x += xs[gx].step) sum += sums[x * step];
		if (samples != n) {
			n = samples;
			inverse = (1 << bits) / n + 1;
		}
		out[gx] = (uint8_t)((uint64_t)(sum + n / 2) * inverse >> bits);
	}
}

uint64_t lp_fingerprint(const AVFrame *f, uint8_t *out, int side) {
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(f->format);
	if (!desc || (desc->flags & AV_PIX_FMT_FLAG_HWACCEL)) return 0;
	const AVComponentDescriptor *c = &desc->comp[0];
	int bytes = av_image_get_linesize(f->format, f->width, c->plane);
	if (!f->data[c->plane] || c->depth > 16 || f->width < 1 || f->width > widest || f->height < 1) return 0;
	if (bytes < 1 || bytes > widest * deepest) return 0;
	int palette = !!(desc->flags & AV_PIX_FMT_FLAG_PAL);
	int plain8 = c->depth == 8 && c->shift == 0 && !palette && !(desc->flags & AV_PIX_FMT_FLAG_BITSTREAM);
	// FFmpeg describes packed 4:1:1, whose luma is not evenly spaced, by a step that leads out of the row.
	if (plain8 && (f->width - 1) * c->step + c->offset >= bytes) return 0;
	int columns = plain8 ? bytes : f->width;
	ALIGNED uint32_t all[bytes];
	ALIGNED uint16_t folds[bytes];
	ALIGNED uint16_t sums[columns];
	uint16_t line[plain8 ? 1 : columns];
	memset(all, 0, sizeof all);
	span xs[side];
	for (int gx = 0; gx < side; gx++) xs[gx] = cell(gx, f->width, side);
	for (int gy = 0; gy < side; gy++) {
		span ys = cell(gy, f->height, side);
		memset(folds, 0, sizeof folds);
		memset(sums, 0, sizeof sums);
		for (int y = ys.from; y < ys.to; y++) {
			const uint8_t *row = f->data[c->plane] + (ptrdiff_t)y * f->linesize[c->plane];
			int sampled = (y - ys.from) % ys.step == 0;
			if (sampled && plain8) {
				fold_and_add(folds, sums, row, bytes);
				continue;
			}
			fold_row(folds, row, bytes);
			if (!sampled) continue;
			av_read_image_line2(line, (const uint8_t **)f->data, f->linesize, desc, 0, y, 0, f->width, palette, sizeof *line);
			add_words(sums, line, columns, c->depth);
		}
		fold_cell(all, folds, bytes);
		if (plain8) average(out + gy * side, sums + c->offset, c->step, xs, side, ys.count);
		else average(out + gy * side, sums, 1, xs, side, ys.count);
	}
	return digest(all, bytes, f->width, f->height);
}
