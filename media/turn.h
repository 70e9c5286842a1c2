// Makes a picture upright.
#ifndef LIVEPROOF_MEDIA_TURN_H
#define LIVEPROOF_MEDIA_TURN_H

#include <stddef.h>
#include <stdint.h>

// lp_turn copies a w×h RGB24 picture, mirrored left to right if mirrored is set and then turned
// clockwise by quarters (0…3) quarter turns.
void lp_turn(const uint8_t *src, int w, int h, ptrdiff_t sstride, uint8_t *dst, ptrdiff_t dstride, int mirrored, int quarters);

#endif
