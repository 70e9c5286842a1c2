package liveproof

import (
	"context"
	"time"
)

// Codec is a video codec by its RTP/SDP encoding name (RFC 7741, RFC 6184, RFC 9628, AV1 RTP).
type Codec string

// The codecs that browsers send.
const (
	CodecVP8  Codec = "VP8"
	CodecVP9  Codec = "VP9"
	CodecH264 Codec = "H264"
	CodecAV1  Codec = "AV1"
)

// AccessUnit is one complete encoded picture (H.264: Annex B; AV1: temporal
// unit with OBU sizes, low-overhead format; VP8, VP9: a frame or superframe).
type AccessUnit struct {
	Codec Codec
	// PTS is the presentation time from the stream's first picture; RTP timestamp unwrapped.
	PTS time.Duration
	// Timestamp is the picture's RTP timestamp as it was sent.
	Timestamp uint32
	// ArrivedAt is the server's time at which the last packet arrived.
	ArrivedAt time.Time
	// Key says that decoding can start here: at a key frame, or at a recovery point (H.264), whose first pictures
	// may have to be decoded without being shown.
	Key bool
	// Gap says that one or more pictures before this one were lost: pictures that
	// refer to them must not be shown until decoding has started again.
	Gap bool
	// Discardable says that no later picture needs this one, neither as a reference
	// nor for the decoder's state. False means "needed or not known".
	Discardable bool
	// Stream numbers the streams of a sender in the order in which they were used, from 1; 0 is
	// a source with one stream. A number that differs from that of the unit before means that
	// the simulcast layer changed, or that the sender began a new stream: nothing proves that both streams
	// show the same person, so no evidence may be carried over. Such a unit is a key frame with
	// Gap set.
	Stream int
	// Mirrored and Rotation make the decoded picture upright: it is mirrored left to right, then
	// turned clockwise by degrees {0,90,180,270}. They are the bits F, R1 and R0 of the RTP header
	// extension for video orientation (CVO; 3GPP TS 26.114, 7.4.5). If a picture states its own orientation
	// (H.264's display orientation SEI message), that one is used instead.
	Mirrored bool
	Rotation int
	// Data is the encoded picture. It is valid until the next call of the
	// UnitSource's Next, which may reuse its memory.
	Data []byte
}

// UnitSource is one live stream's access units in order.
type UnitSource interface {
	// Next blocks for the next complete access unit. It returns io.EOF when the
	// stream has ended and ErrIdle when its sender fell silent. Only one goroutine
	// may call it, and the unit's Data is valid until the next call.
	Next(ctx context.Context) (AccessUnit, error)
	// RequestKeyFrame asks the sender for a key frame (PLI, RFC 4585). It is throttled.
	RequestKeyFrame()
}

// LossCounter is an optional interface of a UnitSource, which counts the pictures that it did not deliver.
type LossCounter interface {
	// Withheld is the number of pictures so far that Next did not return, because they were incomplete or because a
	// key frame before them was missing. It may be called at any time.
	Withheld() int64
}

// LayeredSource is a UnitSource whose sender may offer its picture in several sizes at once
// (simulcast, RFC 8853). One of them is delivered at a time; see AccessUnit.Stream.
type LayeredSource interface {
	UnitSource
	// PreferLarger asks for the next larger size. It never blocks, may be called again and
	// again, and does nothing where the sender has no larger one.
	PreferLarger()
	// Reduced reports whether the delivered size is small and not the largest that the sender has: it has announced larger ones that do
	// not come, or they come and are not delivered. Senders give such a size few bits. It never blocks.
	Reduced() bool
}

// BitrateSource is a UnitSource whose sender may be asked to encode its pictures more finely.
type BitrateSource interface {
	UnitSource
	// PreferFiner asks for a higher bitrate. It never blocks, may be called again and again, and does nothing where the sender
	// cannot be asked, or the network loses packets.
	PreferFiner()
}

// DelaySource is a UnitSource that knows how far its sender is away.
type DelaySource interface {
	UnitSource
	// RoundTrip is the newest measured time of the network from here to the sender and back; known is false where none was measured.
	// The sender can make it longer, not shorter.
	RoundTrip() (roundTrip time.Duration, known bool)
}

// DecliningSource is a UnitSource whose client can decline a challenge.
type DecliningSource interface {
	UnitSource
	// Declined reports whether the client has declined the challenge with this id.
	Declined(id string) bool
}

// Picture is one decoded picture that has not been converted to RGB yet. The
// receiver owns it until Release. It is not safe for concurrent use.
type Picture interface {
	// Time is the presentation time from the stream's first picture.
	Time() time.Duration
	// Size is the width and height in pixels as shown, upright.
	Size() (width, height int)
	// Fingerprint makes the picture comparable with others, by a thumbnail and a
	// digest. The thumbnail averages the luma over a grid, as shown, upright;
	// a pixel format without readable samples gives zeros.
	//
	// The 64-bit digest is equal for pictures whose luma is equal in every pixel, and
	// almost certainly different for others. It is not cryptographic: who forges an
	// equal digest only makes his own picture count as repeated. Chroma does not
	// count, because nothing moves where only the colour changes. A lossy encoder
	// hardly ever repeats the same pixels, not even of a still; such pictures are
	// compared by their thumbnails.
	Fingerprint(to *Thumbnail) (digest uint64)
	// RGB converts into an image from pool; the caller owns the image.
	RGB(pool *ImagePool) (*Image, error)
	// Release gives the picture back. It is idempotent.
	Release()
}

// StreamedPicture is a Picture of a sender that may have several streams.
type StreamedPicture interface {
	Picture
	// Stream is the AccessUnit.Stream of the picture's access unit. Evidence of pictures with different numbers
	// must not be joined.
	Stream() int
}

// ThumbnailSide is the number of cells of a thumbnail in a row and in a column.
const ThumbnailSide = 64

// Thumbnail is a picture's luma in [0,255], averaged over ThumbnailSide ×
// ThumbnailSide cells, row by row; the cells share the picture's aspect ratio.
type Thumbnail [ThumbnailSide * ThumbnailSide]uint8
