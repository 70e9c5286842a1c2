// Converts colours of high dynamic range or wide gamut into those of BT.709.
#ifndef LIVEPROOF_MEDIA_GRADE_H
#define LIVEPROOF_MEDIA_GRADE_H

#include <stddef.h>
#include <stdint.h>

enum { lp_levels = 4096 };

// lp_grade holds a conversion; media/grade.go fills it in and says where its numbers come from.
typedef struct {
	float linear[lp_levels];   // light by signal; 1 is reference white
	float ootf[lp_levels + 1]; // factor to the light, by lp_levels times the square root of its luminance
	float luminance[3];        // weights of red, green and blue
	int has_ootf;
	float matrix[9];              // to the primaries of BT.709, row by row
	float knee, offset, pole, scale; // above knee, light x becomes scale · (x + offset) / (x + pole)
	uint8_t code[lp_levels + 1];  // 8-bit signal by lp_levels times the square root of the light
} lp_grade;

// lp_grade_rows converts w×h pixels of 16 bits a channel, RGB in native byte order, into RGB24. Strides are in bytes.
void lp_grade_rows(const lp_grade *g, const uint8_t *src, int w, int h, ptrdiff_t sstride, uint8_t *dst, ptrdiff_t dstride);

#endif
