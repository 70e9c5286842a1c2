// A picture's digest and thumbnail, in one pass over its luma.
#ifndef LIVEPROOF_MEDIA_FINGERPRINT_H
#define LIVEPROOF_MEDIA_FINGERPRINT_H

#include <libavutil/frame.h>
#include <stdint.h>

// lp_fingerprint writes side×side cells to out: the averages of the first component
// (luma, or the first colour), in eight bits, from at most 100 samples a cell. It returns
// the digest of the whole plane that holds this component; 0, with nothing written, for
// a format without samples in memory, or whose samples are not evenly spaced in a row.
uint64_t lp_fingerprint(const AVFrame *f, uint8_t *out, int side);

#endif
