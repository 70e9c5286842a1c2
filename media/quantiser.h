// The quantisers that FFmpeg's decoders export with a frame (AV_CODEC_EXPORT_DATA_VIDEO_ENC_PARAMS).
#ifndef LIVEPROOF_MEDIA_QUANTISER_H
#define LIVEPROOF_MEDIA_QUANTISER_H

#include <libavutil/frame.h>

enum { LP_QUANTISER_NONE, LP_QUANTISER_H264, LP_QUANTISER_VP9 };

// lp_quantisers writes the means over side×side cells of the frame, row by row, in the codec's own units; nothing without
// exported quantisers. A cell that no block covers gets the frame's.
int lp_quantisers(const AVFrame *f, float *cells, int side);

// lp_quantiser_offset is by how much H.264's quantiser of a frame with more than eight bits a sample is larger than that of the same
// step, in 8-bit levels, of a frame with eight (ITU-T H.264, 7.4.2.1.1: QpBdOffset).
int lp_quantiser_offset(const AVFrame *f);

#endif
