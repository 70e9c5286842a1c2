package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// Info describes a file before it is read.
type Info struct {
	Container string // FFmpeg's demuxer name
	Codec     string // FFmpeg's decoder name
	// Width and Height in pixels as shown; 0 where only decoding tells.
	Width, Height int
	// Reduction is 1, or 2, 4 or 8 where pictures are decoded at that part of their width and height, because they are
	// above Config.MaxPixels.
	Reduction int
	// Orientation is the container's. A picture that has one of its own follows that.
	Orientation Orientation
	FrameRate   float64       // frames a second, an estimate
	Duration    time.Duration // an estimate; 0 when unknown
	Frames      int64         // an estimate; 0 when unknown
}

// File reads one video file, losslessly and in presentation order. Next is for
// one goroutine; Counts, Progress and Close may be called from others.
type File struct {
	cfg   Config
	tally tally
	stop  func() // interrupts blocking I/O for good

	mu        sync.Mutex // so that Close waits for a running read
	format    *astiav.FormatContext
	dec       *decoder
	pkt       *astiav.Packet
	conv      *converter
	info      Info
	index     int          // of the video stream
	tick      float64      // seconds per unit of its timestamps
	sizer     codecs.Sizer // of its packets, nil for a codec of files only
	await     bool         // await a key frame, after a decode error
	display   *displaySEI  // of its packets, nil for a codec that has none
	sent      int64        // packets sent to the decoder
	turns     [inFlight]Orientation
	ready     []*picture
	clock     clock
	size      int64          // bytes
	missing   int64          // bytes that the container promises and the file does not have
	cut       bool           // raw motion JPEG ends within a picture
	broken    int64          // the byte at which the container's structure is lost; 0: nowhere
	hurt      *time.Duration // the time of the last picture before the first that could not be decoded; nil: all could
	firstJPEG *jpegHeader    // of raw motion JPEG
	position  int64
	coding    codingReader
	encoded   unitCoding // of the packet that is decoded
	trouble   error      // the last decode error
	end       error
}

// OpenFile opens a video file of any common container and picks its best video
// stream. Errors: fs.ErrNotExist, ErrUnreadable, ErrNoVideo, ErrEmpty (no
// bytes), liveproof.ErrUnsupportedCodec, liveproof.ErrPictureTooLarge.
func OpenFile(cfg Config, path string) (*File, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	size, err := regularSize(path)
	if err != nil {
		return nil, err
	}
	var container *astiav.InputFormat // nil: found out by FFmpeg
	first := firstJPEG(path)
	if first != nil {
		container = astiav.FindInputFormat(mjpeg) // FFmpeg would take some for one still image
	}
	f := &File{cfg: cfg, conv: newConverter(untaggedBySize, cfg.MaxPixels), size: size, firstJPEG: first}
	if err := f.open(path, container); err != nil {
		f.Close() //nolint:errcheck // always nil
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Info describes the file.
func (f *File) Info() Info { return f.info }

// Progress is how much of the file has been read, by bytes, in [0,1].
func (f *File) Progress() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return min(1, max(0, float64(f.position)/float64(f.size)))
}

// Next returns the next picture, which the caller then owns. It returns io.EOF
// after the last, ErrEmpty if there was none, ErrUnreadable when the container
// breaks midway, liveproof.ErrPictureTooLarge, ErrClosed, or ctx's error, after
// which the file must be closed.
func (f *File) Next(ctx context.Context) (liveproof.Picture, error) {
	defer context.AfterFunc(ctx, f.stop)()
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.ready) == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.end != nil {
			return nil, f.end
		}
		f.step()
	}
	p := f.ready[0]
	f.ready = append(f.ready[:0], f.ready[1:]...)
	f.tally.decoded(1)
	return p, nil
}

// step reads and decodes one packet.
func (f *File) step() {
	err := f.format.ReadFrame(f.pkt)
	if err != nil {
		f.finish(err)
		return
	}
	defer f.pkt.Unref()
	if f.pkt.StreamIndex() != f.index {
		return
	}
	f.position = max(f.position, f.pkt.Pos())
	if f.broken > 0 && f.position >= f.broken {
		f.spoil()
	}
	f.tally.received()
	if f.await && !f.pkt.Flags().Has(astiav.PacketFlagKey) {
		f.tally.drop(DropAwaitKeyFrame)
		return
	}
	f.await = false
	if err := f.decode(); err != nil {
		f.fail(err)
	}
}

var errPacket = errors.New("packet is damaged")

func (f *File) decode() error {
	if f.pkt.Flags().Has(astiav.PacketFlagCorrupt) {
		return errPacket
	}
	if err := f.cfg.checkClaim(f.sizer, payload(f.pkt)); err != nil {
		return err
	}
	f.encoded = f.coding.read(payload(f.pkt), f.pkt.Flags().Has(astiav.PacketFlagKey))
	f.sent++
	f.turns[f.sent%inFlight] = f.info.Orientation
	if f.display != nil {
		if own, ok := f.display.next(payload(f.pkt)); ok {
			f.turns[f.sent%inFlight] = own
		}
	}
	f.pkt.SetPos(f.sent) // frames keep it
	return f.dec.send(f.pkt, f.accept)
}

// orientation is the picture's own, otherwise the container's.
func (f *File) orientation(frame *astiav.Frame) Orientation {
	packet := int64(raw(frame).pkt_pos)
	switch {
	case f.display == nil:
		return frameOrientation(frame, f.info.Orientation)
	case packet > f.sent-inFlight && packet <= f.sent && packet > 0:
		return f.turns[packet%inFlight]
	}
	return f.info.Orientation
}

func (f *File) accept(frame *astiav.Frame) {
	ts := bestEffort(frame)
	p := newPicture(frame, f.conv, 0, f.orientation(frame))
	if p.damaged() {
		p.Release()
		f.tally.drop(DropCorrupt)
		f.spoil()
		f.await = true
		return
	}
	if err := f.cfg.checkDecoded(frame.Width(), frame.Height()); err != nil {
		p.Release()
		f.end = err
		return
	}
	p.at, p.encoded = f.clock.at(ts, f.tick), f.encoded
	f.ready = append(f.ready, p)
}

// fail counts a packet that could not be decoded; nothing is shown until the next key frame.
func (f *File) fail(err error) {
	f.tally.drop(DropDecodeError)
	f.spoil()
	f.await, f.trouble = true, err
	if errors.Is(err, liveproof.ErrPictureTooLarge) {
		f.end = err
	}
}

// finish drains the decoder and says how the file ended.
func (f *File) finish(err error) {
	if !errors.Is(err, astiav.ErrEof) {
		f.end = fmt.Errorf("%w: %w", ErrUnreadable, err)
		return
	}
	if !f.await {
		f.dec.send(nil, f.accept) //nolint:errcheck // there is nothing after it to protect
	}
	if f.end != nil {
		return
	}
	f.end, f.position = io.EOF, f.size
	if f.tally.counts().Decoded == 0 && len(f.ready) == 0 {
		f.end = ErrEmpty
		if f.trouble != nil {
			f.end = fmt.Errorf("%w: %w", ErrEmpty, f.trouble)
		}
	}
}

// Counts is what was read and what became of it so far.
func (f *File) Counts() Counts { return f.tally.counts() }

// Close interrupts a running Next and frees the file. Pictures already handed
// out stay usable. It is idempotent.
func (f *File) Close() error {
	if f.stop != nil {
		f.stop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(f.end, ErrClosed) {
		return nil
	}
	f.end = ErrClosed
	for _, p := range f.ready {
		p.Release()
	}
	f.ready = nil
	f.dec.close()
	if f.format != nil {
		f.format.CloseInput()
	}
	if f.pkt != nil {
		f.pkt.Free()
	}
	f.conv.release()
	return nil
}
