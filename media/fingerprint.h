// A picture's digest and thumbnail, in one pass over its luma.
#ifndef LIVEPROOF_MEDIA_FINGERPRINT_H
#define LIVEPROOF_MEDIA_FINGERPRINT_H

#include <libavutil/frame.h>
#include <stdint.h>

// lp_fingerprint averages the first component (luma, or the first colour) over
// side×side cells, from at most 100 samples a cell, and digests the whole plane
// that holds it. It returns the digest; 0, with nothing written, for a format
// without samples in memory, or whose samples are not evenly spaced in a row.
uint64_t lp_fingerprint(const AVFrame *f, uint8_t *out, int side);

#endif
