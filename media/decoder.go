package media

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// #include <libavcodec/avcodec.h>
import "C"

// decoder is one libavcodec context. Every packet is drained at once, so it
// holds back no more than the codec's own reordering.
type decoder struct {
	ctx       *astiav.CodecContext
	pkt       *astiav.Packet
	spare     *astiav.Frame
	maxPixels int
}

// openLive opens a software decoder that gives each picture with its own access unit. It is the only thing of FFmpeg that a live stream
// reaches: no demuxer, no protocol, no parser and no other decoder (TestLiveStreamsReachNothingElse).
func openLive(cfg Config, format *codecs.Format) (*decoder, error) {
	c := astiav.FindDecoderByName(format.Decoder)
	if c == nil {
		return nil, fmt.Errorf("decoder %s for %s: %w", format.Decoder, format.Name, liveproof.ErrUnsupportedCodec)
	}
	return openDecoder(cfg, c, nil, map[string]string{"flags": "+low_delay", "codec_whitelist": format.Decoder})
}

func openDecoder(cfg Config, c *astiav.Codec, params *astiav.CodecParameters, options map[string]string) (*decoder, error) {
	quietFFmpeg()
	d := &decoder{ctx: astiav.AllocCodecContext(c), pkt: astiav.AllocPacket(), maxPixels: cfg.MaxPixels}
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
	if err := dict.Set("export_side_data", "+venc_params", 0); err != nil { // see quantiser.go
		return err
	}
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
// which owns it. The frame has the pts. data is copied once, into FFmpeg's
// memory, because the decoder may keep it and read past its end.
func (d *decoder) decode(data []byte, pts int64, emit func(*astiav.Frame)) error {
	if len(data) == 0 {
		return errors.New("empty access unit")
	}
	if err := d.pkt.AllocPayload(len(data)); err != nil {
		return err
	}
	defer d.pkt.Unref()
	copy(payload(d.pkt), data)
	d.pkt.SetPts(pts)
	d.pkt.SetDts(pts)
	return d.send(d.pkt, emit)
}

// payload is a packet's data in place; astiav's Data copies it. It is invalid after the packet's
// Unref.
func payload(p *astiav.Packet) []byte {
	raw := rawPacket(p)
	return unsafe.Slice((*byte)(raw.data), int(raw.size))
}

// rawPacket reads the only field of astiav 0.16's Packet, which has no accessor
// for it; TestPacketLayout checks the field's name and type.
func rawPacket(p *astiav.Packet) *C.AVPacket { return *(**C.AVPacket)(unsafe.Pointer(p)) }

// send feeds a packet, nil to drain the decoder at the end of the stream.
func (d *decoder) send(pkt *astiav.Packet, emit func(*astiav.Frame)) error {
	if err := d.ctx.SendPacket(pkt); err != nil {
		return d.typed(err)
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
			return d.typed(err)
		}
		emit(d.spare)
		d.spare = nil
	}
}

// typed wraps the one decoder error that must end a stream: libdav1d refuses a frame above
// its size limit with ERANGE. For the other codecs the size is checked before
// (codecs.Format.Size).
func (d *decoder) typed(err error) error {
	if errors.Is(err, astiav.Error(-int(syscall.ERANGE))) {
		return fmt.Errorf("%w: it has more pixels than media.max_pixels, %d: %w", liveproof.ErrPictureTooLarge, d.maxPixels, err)
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
