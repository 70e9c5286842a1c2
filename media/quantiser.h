// The quantisers that FFmpeg's decoders export with a frame (AV_CODEC_EXPORT_DATA_VIDEO_ENC_PARAMS).
#ifndef LIVEPROOF_MEDIA_QUANTISER_H
#define LIVEPROOF_MEDIA_QUANTISER_H

#include <libavutil/frame.h>

enum { LP_QUANTISER_NONE, LP_QUANTISER_H264, LP_QUANTISER_VP9 };

// lp_quantiser writes the mean over the frame's blocks, weighted by their area, in the codec's own units.
int lp_quantiser(const AVFrame *f, double *mean);

#endif
