// Package codecs holds everything that the service knows about a video codec:
// how it is offered in SDP, how its RTP payloads are joined, what its headers
// say and which decoder of FFmpeg decodes it. A codec is one row of the table
// in this file and one file with the functions that the row names.
package codecs

import (
	"errors"
	"slices"

	"github.com/liveproof/liveproof"
)

// table is in the order in which codecs are preferred unless webrtc.codecs says otherwise.
var table = []Format{vp8, h264, vp9, av1}

// Format is one codec.
type Format struct {
	// Name is the encoding name in SDP.
	Name liveproof.Codec
	// FMTP lists the format parameters (a=fmtp) that are accepted, most wanted first; "" is none.
	FMTP []string
	// NewDepacketizer returns a depacketizer for one stream. fmtp holds the format parameters (a=fmtp) that the
	// sender offered, "" for none: H.264 parameter sets may come in them.
	NewDepacketizer func(fmtp string) Depacketizer

	// FFmpegName is the codec's name in FFmpeg, as files declare it.
	FFmpegName string
	// Decoder is FFmpeg's name of the software decoder for live streams.
	Decoder string
	// Reorders says that pictures may leave the decoder later, and in another
	// order, than their access units came.
	Reorders bool
	// Hidden reports whether an access unit shows no picture; nil: each shows one.
	// It is not called when Reorders is set.
	Hidden func(unit []byte) bool
	// Size reads the picture size that an access unit claims, before a decoder
	// allocates for it; nil: the decoder itself refuses what is above its limit.
	Size Sizer
	// SizeInFile replaces Size for files, whose stream header may change the
	// format of what follows; nil: files hold what Size reads.
	SizeInFile func(streamHeader []byte) Sizer
	// NewQuantiserReader returns a reader of one stream. streamHeader is that of a file, nil for a live stream.
	NewQuantiserReader func(streamHeader []byte) QuantiserReader
	// NewParameterSets returns a store for headers that senders need not repeat
	// in every key frame; nil: every key frame holds all that decoding needs.
	NewParameterSets func() ParameterSets
	// NewRecovery returns a Recovery for a decoder, beginning with the decoder's first access unit; nil: the first
	// picture of a decoder is always exact.
	NewRecovery func() Recovery
}

// Sizer reads a picture size in pixels. ok is false when data carries no size,
// or a broken one, which the decoder refuses.
type Sizer func(data []byte) (width, height int, ok bool)

// ParameterSets remembers a stream's parameter sets.
type ParameterSets interface {
	// Learn keeps the sets of an access unit and reports whether it brought any
	// that starts a sequence, and whether it holds a picture.
	Learn(unit []byte) (hasSets, hasPicture bool)
	// Prepend returns a copy of unit with the known sets in front.
	Prepend(unit []byte) []byte
}

// Recovery tells which pictures are exact when a decoder starts within a stream. Until the recovery
// point some pictures refer to pictures that the decoder has not seen.
type Recovery interface {
	// Next takes the next access unit in decoding order, the first one included. exact says that its picture is
	// decoded exactly; done, that all later pictures are too.
	Next(unit []byte) (exact, done bool)
}

// MIMEType is the media type in SDP and in WebRTC statistics.
func (f *Format) MIMEType() string { return "video/" + string(f.Name) }

// Find returns the codec of this name, nil for an unknown one. The caller must not
// change it.
func Find(name liveproof.Codec) *Format {
	return find(func(f Format) bool { return f.Name == name })
}

// FindFFmpeg returns the codec of this name in FFmpeg, nil for an unknown one. The caller must not
// change it.
func FindFFmpeg(name string) *Format {
	return find(func(f Format) bool { return f.FFmpegName == name })
}

func find(match func(Format) bool) *Format {
	if i := slices.IndexFunc(table, match); i >= 0 {
		return &table[i]
	}
	return nil
}

// Names lists the codecs, the preferred one first.
func Names() []liveproof.Codec {
	names := make([]liveproof.Codec, len(table))
	for i, f := range table {
		names[i] = f.Name
	}
	return names
}

// ErrMalformed says that a payload, or a picture made of payloads, breaks the rules of its
// format.
var ErrMalformed = errors.New("malformed payload")

// Unit is one picture as a depacketizer joined it.
type Unit struct {
	Data []byte // owned by the caller; nil when there is no picture
	Key  bool   // decoding can start here, and Data holds all that it needs
	Skip bool   // the sender left out pictures before this one

	Discardable bool // no later picture needs this one; false: needed or not known
	// OwnHeaders: the payloads brought all parameter sets that the picture needs, or the sender sends none among
	// its payloads. So a payload that is missing before the first one held no parameter set.
	OwnHeaders bool
}

// Start is what a payload proves about those before it.
type Start int

// What is proven.
const (
	StartUnknown   Start = iota // part of its picture may come before it
	StartOfPicture              // no part of its picture, only headers may
	StartOfUnit                 // nothing of its access unit
)

// Depacketizer joins the RTP payloads of one picture after the other. After an
// error the picture cannot be used, and Reset must follow.
type Depacketizer interface {
	// Starts reports whether payload by itself proves to begin a picture. It is not empty.
	Starts(payload []byte) Start
	// Add appends the next payload of the picture.
	Add(payload []byte) error
	// Finish ends the picture and hands over its memory; the depacketizer writes
	// the next picture into spare, which may be nil. No data and no error mean
	// that there is no picture yet, and that the payloads so far belong to the
	// next one; then, and after an error, the caller keeps spare.
	Finish(spare []byte) (Unit, error)
	// Reset drops the current picture. Right after Finish it keeps what belongs to the next one.
	Reset()
	// Forget drops also what belongs to the next one: payloads were lost after it.
	Forget()
}
