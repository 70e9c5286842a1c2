// What go-astiav 0.16 does not bind: libswscale from memory of Go, with the colour matrix of live video.
#ifndef LIVEPROOF_TRANSCODE_CONVERT_H
#define LIVEPROOF_TRANSCODE_CONVERT_H

#include <libavutil/frame.h>
#include <libswscale/swscale.h>
#include <stdint.h>

// lp_sws_encode returns a context that scales RGB24 to YUV 4:2:0 of BT.601 and limited range; NULL for sizes that cannot be scaled.
struct SwsContext *lp_sws_encode(int from_w, int from_h, int to_w, int to_h);

// lp_encode_yuv converts height rows of RGB24, stride bytes apart, into frame. It returns the number of rows written.
int lp_encode_yuv(struct SwsContext *ctx, const uint8_t *rgb, int stride, int height, AVFrame *frame);

#endif
