package media

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// inputPadding is AV_INPUT_BUFFER_PADDING_SIZE: decoders read that far past the end.
const inputPadding = 64

// decoder is one libavcodec context. Every packet is drained at once, so it
// holds back no more than the codec's own reordering.
type decoder struct {
	ctx   *astiav.CodecContext
	pkt   *astiav.Packet
	spare *astiav.Frame
	buf   []byte
}

// openLive opens a software decoder that gives each picture with its own access unit.
func openLive(cfg Config, codec liveproof.Codec) (*decoder, error) {
	c := astiav.FindDecoderByName(decoderName(codec))
	if c == nil {
		return nil, fmt.Errorf("decoder for %q: %w", codec, liveproof.ErrUnsupportedCodec)
	}
	return openDecoder(cfg, c, nil, map[string]string{"flags": "+low_delay"})
}

// decoderName is FFmpeg's name of the decoder to use: its own for all but AV1,
// where its own needs hardware.
func decoderName(codec liveproof.Codec) string {
	switch codec {
	case liveproof.CodecVP8:
		return "vp8"
	case liveproof.CodecVP9:
		return "vp9"
	case liveproof.CodecH264:
		return "h264"
	case liveproof.CodecAV1:
		return "libdav1d"
	}
	return ""
}

func openDecoder(cfg Config, c *astiav.Codec, params *astiav.CodecParameters, options map[string]string) (*decoder, error) {
	quietFFmpeg()
	d := &decoder{ctx: astiav.AllocCodecContext(c), pkt: astiav.AllocPacket()}
	if d.ctx == nil || d.pkt == nil {
		return nil, fmt.Errorf("decoder %s: out of memory", c.Name())
	}
	if err := d.open(cfg, c, params, options); err != nil {
		d.close()
		return nil, fmt.Errorf("open decoder %s: %w", c.Name(), err)
	}
	return d, nil
}

func (d *decoder) open(cfg Config, c *astiav.Codec, params *astiav.CodecParameters, options map[string]string) error {
	if params != nil {
		if err := d.ctx.FromCodecParameters(params); err != nil {
			return err
		}
	}
	d.ctx.SetThreadCount(cfg.Threads)
	d.ctx.SetThreadType(astiav.ThreadTypeSlice) // frame threads would hold pictures back
	dict := astiav.NewDictionary()
	defer dict.Free()
	if err := dict.Set("max_pixels", strconv.Itoa(cfg.MaxPixels), 0); err != nil {
		return err
	}
	for k, v := range options {
		if err := dict.Set(k, v, 0); err != nil {
			return err
		}
	}
	return d.ctx.Open(c, dict)
}

// decode feeds one encoded picture and hands each frame that comes out to emit,
// which owns it. pts comes back on the frame.
func (d *decoder) decode(data []byte, pts int64, emit func(*astiav.Frame)) error {
	if len(data) == 0 {
		return errors.New("empty access unit")
	}
	d.buf = append(d.buf[:0], data...)
	d.buf = append(d.buf, make([]byte, inputPadding)...)
	if err := d.pkt.FromData(d.buf); err != nil {
		return err
	}
	d.pkt.SetSize(len(data))
	d.pkt.SetPts(pts)
	d.pkt.SetDts(pts)
	defer d.pkt.Unref()
	return d.send(d.pkt, emit)
}

// send feeds a packet, nil to drain the decoder at the end of the stream.
func (d *decoder) send(pkt *astiav.Packet, emit func(*astiav.Frame)) error {
	if err := d.ctx.SendPacket(pkt); err != nil {
		return typed(err)
	}
	for {
		if d.spare == nil {
			d.spare = astiav.AllocFrame()
		}
		err := d.ctx.ReceiveFrame(d.spare)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return typed(err)
		}
		emit(d.spare)
		d.spare = nil
	}
}

// typed names the one error that must end a stream: libdav1d refuses a frame
// above its size limit with ERANGE. The other codecs are checked by peekSize.
func typed(err error) error {
	if errors.Is(err, astiav.Error(-int(syscall.ERANGE))) {
		return fmt.Errorf("%w: %v", liveproof.ErrPictureTooLarge, err)
	}
	return err
}

func (d *decoder) close() {
	if d == nil {
		return
	}
	if d.ctx != nil {
		d.ctx.Free()
	}
	if d.pkt != nil {
		d.pkt.Free()
	}
	if d.spare != nil {
		d.spare.Free()
	}
	*d = decoder{}
}

// quietFFmpeg stops FFmpeg from writing to stderr, which a hostile stream could
// flood. The level is FFmpeg's own process-wide setting; what matters is
// returned as errors and counted.
func quietFFmpeg() { astiav.SetLogLevel(astiav.LogLevelQuiet) }
