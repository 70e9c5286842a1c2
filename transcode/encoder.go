package transcode

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// #cgo pkg-config: libavcodec libavutil libswscale
// #include <libavcodec/avcodec.h>
// #include "convert.h"
import "C"

// encoders are FFmpeg's, by codec.
var encoders = map[liveproof.Codec]string{liveproof.CodecVP8: "libvpx", liveproof.CodecH264: "libx264"}

// encoder encodes pictures of one size. It is not safe for concurrent use.
type encoder struct {
	width, height int
	ctx           *astiav.CodecContext
	pkt           *astiav.Packet
	frame         *astiav.Frame
	sws           *C.struct_SwsContext
	from          [2]int // the size for which sws is
}

// openEncoder opens an encoder for about rate pictures a second: a first guess, which rate control corrects by the pictures' times.
func openEncoder(cfg Config, width, height int, rate float64) (*encoder, error) {
	astiav.SetLogLevel(astiav.LogLevelQuiet) // what matters is returned as errors
	codec := astiav.FindEncoderByName(encoders[cfg.Codec])
	if codec == nil {
		return nil, fmt.Errorf("%w: this build of FFmpeg has no %s", ErrEncoder, encoders[cfg.Codec])
	}
	e := &encoder{width: width, height: height, ctx: astiav.AllocCodecContext(codec), pkt: astiav.AllocPacket(), frame: astiav.AllocFrame()}
	if err := e.open(codec, cfg.options(), rate); err != nil {
		e.close()
		return nil, fmt.Errorf("%w: %s of %d×%d pixels: %w", ErrEncoder, codec.Name(), width, height, err)
	}
	return e, nil
}

func (e *encoder) open(codec *astiav.Codec, options map[string]string, rate float64) error {
	e.ctx.SetWidth(e.width)
	e.ctx.SetHeight(e.height)
	e.ctx.SetPixelFormat(astiav.PixelFormatYuv420P)
	e.ctx.SetTimeBase(astiav.NewRational(1, ClockRate))
	const fine = 1000
	e.ctx.SetFramerate(astiav.NewRational(int(math.Round(rate*fine)), fine))
	// libvpx takes it for the length of the first picture. Of the default, one tick, its first key picture would get a few bytes only.
	rawContext(e.ctx).ticks_per_frame = C.int(max(1, ClockRate/rate))
	dict := astiav.NewDictionary()
	defer dict.Free()
	for k, v := range options {
		if err := dict.Set(k, v, 0); err != nil {
			return err
		}
	}
	if err := e.ctx.Open(codec, dict); err != nil {
		return err
	}
	e.frame.SetWidth(e.width)
	e.frame.SetHeight(e.height)
	e.frame.SetPixelFormat(astiav.PixelFormatYuv420P)
	const align = 32 // what libswscale's vector code wants
	return e.frame.AllocBuffer(align)
}

// rawContext reads the first field of astiav 0.16's CodecContext, which has no accessor for it; TestContextLayout checks the field's name
// and type.
func rawContext(c *astiav.CodecContext) *C.AVCodecContext {
	return *(**C.AVCodecContext)(unsafe.Pointer(c))
}

// encode encodes a picture at a time in ticks, and hands each encoded picture that comes out to emit.
func (e *encoder) encode(img *liveproof.Image, at int64, key bool, emit func(at int64, key bool, data []byte) error) error {
	if err := e.convert(img); err != nil {
		return err
	}
	e.frame.SetPts(at)
	e.frame.SetPictureType(astiav.PictureTypeNone)
	if key {
		e.frame.SetPictureType(astiav.PictureTypeI)
	}
	return e.send(e.frame, emit)
}

// drain hands out what the encoder still holds.
func (e *encoder) drain(emit func(at int64, key bool, data []byte) error) error {
	return e.send(nil, emit)
}

func (e *encoder) send(frame *astiav.Frame, emit func(at int64, key bool, data []byte) error) error {
	if err := e.ctx.SendFrame(frame); err != nil {
		return fmt.Errorf("%w: %w", ErrEncoder, err)
	}
	for {
		err := e.ctx.ReceivePacket(e.pkt)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrEncoder, err)
		}
		err = emit(e.pkt.Pts(), e.pkt.Flags().Has(astiav.PacketFlagKey), e.pkt.Data())
		e.pkt.Unref()
		if err != nil {
			return err
		}
	}
}

// convert scales img into the encoder's frame.
func (e *encoder) convert(img *liveproof.Image) error {
	if size := [2]int{img.Width, img.Height}; e.sws == nil || e.from != size {
		C.sws_freeContext(e.sws)
		e.from = size
		if e.sws = C.lp_sws_encode(C.int(img.Width), C.int(img.Height), C.int(e.width), C.int(e.height)); e.sws == nil {
			return fmt.Errorf("%w: pictures of %d×%d pixels cannot be scaled to %d×%d", ErrEncoder, img.Width, img.Height, e.width, e.height)
		}
	}
	to := (*C.AVFrame)(e.frame.UnsafePointer())
	pixels := (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(img.Pix)))
	if C.av_frame_make_writable(to) < 0 { // an encoder may still read the last picture
		return fmt.Errorf("%w: out of memory", ErrEncoder)
	}
	rows := C.lp_encode_yuv(e.sws, pixels, C.int(img.Stride), C.int(img.Height), to)
	runtime.KeepAlive(img)
	if int(rows) != e.height {
		return fmt.Errorf("%w: %d of %d rows were scaled", ErrEncoder, int(rows), e.height)
	}
	return nil
}

func (e *encoder) close() {
	e.ctx.Free()
	e.pkt.Free()
	e.frame.Free()
	C.sws_freeContext(e.sws)
	e.sws = nil
}
