// Package media turns encoded video into pictures: live access units through a
// Stream, files through a File. It holds all cgo of decoders
// (FFmpeg 5.1's libavcodec, libavformat and libswscale).
//
// A Stream shows a picture only when all that it refers to was received: it
// starts at a key frame or, in H.264, at a recovery point, and after a loss, a decode
// error or a picture that the decoder had to conceal it shows nothing until the next such point. A live stream may leave
// out pictures that no other refers to (Config.MinPictureRate). No picture above
// the pixel cap is ever allocated. Pictures come upright, with square pixels and in
// the colours of BT.709 (docs/model-contract.md). Decoding costs every picture; conversion to
// RGB and the fingerprint cost when they are asked for: the pipeline converts
// the sampled pictures and takes the fingerprint of every one (0.03 ms at
// 640×480).
package media

import "errors"

// Errors of this package; test with errors.Is. A file that is not there is
// fs.ErrNotExist; a picture above the cap is liveproof.ErrPictureTooLarge; a
// codec that is not to be decoded is liveproof.ErrUnsupportedCodec.
var (
	// ErrUnreadable: not a regular file, not a known container, or broken in a way that ends reading.
	ErrUnreadable = errors.New("unreadable media file")
	// ErrNoVideo: the container is fine and holds no video stream.
	ErrNoVideo = errors.New("no video stream")
	// ErrEmpty: the file ended without a single picture.
	ErrEmpty = errors.New("no pictures in media file")
	// ErrClosed: the source was closed.
	ErrClosed = errors.New("media source closed")
)
