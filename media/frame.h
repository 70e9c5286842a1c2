// What go-astiav 0.16 does not bind: a frame's colours and error flags, and libswscale with the stream's own colour matrix.
#ifndef LIVEPROOF_MEDIA_FRAME_H
#define LIVEPROOF_MEDIA_FRAME_H

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stddef.h>
#include <stdint.h>

// lp_damaged tells whether the decoder flagged the frame as incomplete or concealed.
int lp_damaged(const AVFrame *f);

// lp_sws returns a context that converts frames like f, of a YUV matrix of enum AVColorSpace, to RGB24 of w×h pixels, or, if deep
// is set, to RGB of 16 bits a channel in native byte order; NULL for what cannot be converted.
struct SwsContext *lp_sws(const AVFrame *f, int w, int h, int matrix, int deep);

// lp_rgb converts f, only the upper field of an interlaced one, into dst, whose rows are stride bytes apart. Rows are written
// up to the next multiple of 16 pixels when stride leaves the room.
int lp_rgb(struct SwsContext *ctx, const AVFrame *f, uint8_t *dst, int stride);

#endif
