package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// Info describes a file before it is read.
type Info struct {
	Container string // FFmpeg's demuxer name
	Codec     string // FFmpeg's decoder name
	// Width and Height in pixels as shown; 0 where only decoding tells.
	Width, Height int
	Rotation      int           // degrees clockwise by which pictures are turned
	FrameRate     float64       // frames a second, an estimate
	Duration      time.Duration // an estimate; 0 when unknown
	Frames        int64         // an estimate; 0 when unknown
}

// File reads one video file, losslessly and in presentation order. Next is for
// one goroutine; Counts, Progress and Close may be called from others.
type File struct {
	cfg   Config
	tally tally
	stop  func() // interrupts blocking I/O for good

	mu        sync.Mutex // reading against Close
	format    *astiav.FormatContext
	dec       *decoder
	pkt       *astiav.Packet
	conv      *converter
	info      Info
	index     int             // of the video stream
	tick      float64         // seconds per unit of its timestamps
	lengthLen int             // bytes of H.264 NAL unit lengths; 0 for start codes or another codec
	codec     liveproof.Codec // "" unless peekSize knows it
	await     bool            // for a key frame, after a decode error
	ready     []*picture
	clock     clock
	size      int64
	position  int64
	trouble   error // the last decode error
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
	if startsAsJPEG(path) {
		container = astiav.FindInputFormat("mjpeg") // FFmpeg would take some for one still image
	}
	f := &File{cfg: cfg, conv: newConverter(), size: size}
	if err := f.open(path, container); err != nil {
		f.Close() //nolint:errcheck // always nil
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// regularSize refuses what would block or never end: pipes, devices, directories.
func regularSize(path string) (int64, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return 0, err
	case !st.Mode().IsRegular():
		return 0, fmt.Errorf("%s: %w: not a regular file", path, ErrUnreadable)
	case st.Size() == 0:
		return 0, fmt.Errorf("%s: %w: zero bytes", path, ErrEmpty)
	}
	return st.Size(), nil
}

// startsAsJPEG tells raw motion JPEG, which has no header of its own. A file
// that cannot be read is left for FFmpeg to refuse.
func startsAsJPEG(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close() //nolint:errcheck // only read
	var magic [3]byte
	_, err = io.ReadFull(file, magic[:])
	return err == nil && magic == [3]byte{0xff, 0xd8, 0xff}
}

func (f *File) open(path string, container *astiav.InputFormat) error {
	quietFFmpeg()
	f.pkt = astiav.AllocPacket()
	f.format = astiav.AllocFormatContext()
	interrupter := f.format.SetInterruptCallback()
	f.stop = sync.OnceFunc(interrupter.Interrupt)
	timer := time.AfterFunc(f.cfg.OpenTimeout, f.stop)
	defer timer.Stop()
	if err := f.probe(path, container); err != nil {
		return err
	}
	stream, err := f.pick()
	if err != nil {
		return err
	}
	return f.openStream(stream)
}

// probe opens the container. Only plain files are ever read, by the containers
// that refer to no others, and no decoder runs while probing.
func (f *File) probe(path string, container *astiav.InputFormat) error {
	options := astiav.NewDictionary()
	defer options.Free()
	for k, v := range map[string]string{
		"protocol_whitelist": "file",
		"format_whitelist":   containers,
		"codec_whitelist":    "none", // would decode without our pixel cap
		"framerate":          strconv.FormatFloat(f.cfg.RawFrameRate, 'f', -1, 64),
		"max_streams":        "64",
		"probesize":          "2000000",
		"analyzeduration":    "1000000", // µs
	} {
		if err := options.Set(k, v, 0); err != nil {
			return err
		}
	}
	if err := f.format.OpenInput("file:"+path, container, options); err != nil {
		f.format = nil // FFmpeg has freed it
		return fmt.Errorf("%w: %v", ErrUnreadable, err)
	}
	if err := f.format.FindStreamInfo(nil); err != nil {
		return fmt.Errorf("%w: %v", ErrUnreadable, err)
	}
	return nil
}

// pick returns the video stream with the most pixels, the first of equals; a
// cover picture of an audio file counts as video of one picture.
func (f *File) pick() (*astiav.Stream, error) {
	var best *astiav.Stream
	most := -1
	for _, s := range f.format.Streams() {
		p := s.CodecParameters()
		if p.MediaType() != astiav.MediaTypeVideo {
			continue
		}
		if n := max(0, p.Width()) * max(0, p.Height()); n > most {
			best, most = s, n
		}
	}
	if best == nil {
		return nil, ErrNoVideo
	}
	return best, nil
}

func (f *File) openStream(s *astiav.Stream) error {
	p := s.CodecParameters()
	if f.cfg.overCap(p.Width(), p.Height()) {
		return fmt.Errorf("%w: %d×%d", liveproof.ErrPictureTooLarge, p.Width(), p.Height())
	}
	codec := astiav.FindDecoder(p.CodecID())
	if codec == nil {
		return fmt.Errorf("%w: %v", liveproof.ErrUnsupportedCodec, p.CodecID())
	}
	options := map[string]string{}
	if f.codec = peekable(p.CodecID()); f.codec == liveproof.CodecH264 {
		options["strict"] = "strict" // without a stated reordering depth assume the deepest: lossless before early
		f.lengthLen = avccLength(p.ExtraData())
	}
	f.index, f.tick = s.Index(), s.TimeBase().Float64()
	f.describe(s, codec)
	var err error
	f.dec, err = openDecoder(f.cfg, codec, p, options)
	return err
}

// peekable is the live codec of this identity whose headers peekSize reads.
func peekable(id astiav.CodecID) liveproof.Codec {
	switch id {
	case astiav.CodecIDVp8:
		return liveproof.CodecVP8
	case astiav.CodecIDVp9:
		return liveproof.CodecVP9
	case astiav.CodecIDH264:
		return liveproof.CodecH264
	}
	return ""
}

// avccLength is the size of NAL unit lengths by ISO/IEC 14496-15, 0 for Annex B.
func avccLength(extra []byte) int {
	if len(extra) < 7 || extra[0] != 1 {
		return 0
	}
	return int(extra[4]&3) + 1
}

func (f *File) describe(s *astiav.Stream, codec *astiav.Codec) {
	p := s.CodecParameters()
	rate := s.AvgFrameRate().Float64()
	if rate <= 0 || rate > 1000 {
		rate = f.cfg.RawFrameRate
	}
	f.info = Info{
		Container: f.format.InputFormat().Name(), Codec: codec.Name(),
		Rotation: matrixRotation(s.SideData(astiav.PacketSideDataTypeDisplaymatrix)), FrameRate: rate,
	}
	f.info.Width, f.info.Height = turned(p.Width(), p.Height(), f.info.Rotation)
	f.info.Duration = f.duration(s)
	if f.info.Frames = max(0, s.NbFrames()); f.info.Frames == 0 {
		f.info.Frames = int64(math.Round(f.info.Duration.Seconds() * rate))
	}
	f.clock = clock{step: time.Duration(float64(time.Second) / rate)}
}

func (f *File) duration(s *astiav.Stream) time.Duration {
	seconds := float64(f.format.Duration()) / 1e6
	if d := s.Duration(); d != astiav.NoPtsValue && d > 0 {
		seconds = float64(d) * f.tick
	}
	if !(seconds > 0 && seconds < 1e6) { // unknown or absurd
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// matrixRotation is the clockwise quarter turn of a display matrix (ISO/IEC 14496-12), 0 without one.
func matrixRotation(b []byte) int {
	m, err := astiav.NewDisplayMatrixFromBytes(b)
	if err != nil {
		return 0
	}
	degrees := m.Rotation()
	if math.IsNaN(degrees) {
		return 0
	}
	return quarterTurn(int(math.Round(degrees)))
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
	if f.codec != "" {
		if w, h, ok := f.peek(f.pkt.Data()); ok && f.cfg.overCap(w, h) {
			return fmt.Errorf("%w: header claims %d×%d", liveproof.ErrPictureTooLarge, w, h)
		}
	}
	return f.dec.send(f.pkt, f.accept)
}

// peek is peekSize for files, where H.264's NAL units may be preceded by their length.
func (f *File) peek(data []byte) (width, height int, ok bool) {
	if f.lengthLen == 0 {
		return peekSize(f.codec, data)
	}
	return peekAVCC(data, f.lengthLen)
}

func peekAVCC(data []byte, lengthLen int) (width, height int, ok bool) {
	for len(data) >= lengthLen {
		n := 0
		for _, b := range data[:lengthLen] {
			n = n<<8 | int(b)
		}
		data = data[lengthLen:]
		n = min(n, len(data))
		if w, h, valid := spsSize(data[:n]); valid && w*h > width*height {
			width, height, ok = w, h, true
		}
		data = data[n:]
	}
	return width, height, ok
}

func (f *File) accept(frame *astiav.Frame) {
	ts := bestEffort(frame)
	p := newPicture(frame, f.conv, 0, f.info.Rotation)
	w, h := frame.Width(), frame.Height()
	switch {
	case p.damaged():
		p.Release()
		f.tally.drop(DropCorrupt)
		f.await = true
	case w > maxSide || h > maxSide || w*h > f.cfg.MaxPixels:
		p.Release()
		f.end = fmt.Errorf("%w: %d×%d decoded", liveproof.ErrPictureTooLarge, w, h)
	default:
		p.at = f.clock.at(ts, f.tick)
		f.ready = append(f.ready, p)
	}
}

// fail counts a packet that could not be decoded; nothing is shown until the next key frame.
func (f *File) fail(err error) {
	f.tally.drop(DropDecodeError)
	f.await, f.trouble = true, err
	if errors.Is(err, liveproof.ErrPictureTooLarge) {
		f.end = err
	}
}

// finish drains the decoder and says how the file ended.
func (f *File) finish(err error) {
	if !errors.Is(err, astiav.ErrEof) {
		f.end = fmt.Errorf("%w: %v", ErrUnreadable, err)
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
			f.end = fmt.Errorf("%w: %v", ErrEmpty, f.trouble)
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

// clock turns a container's timestamps into times from the first picture that
// always grow: a missing or backward one is replaced by the last plus one step.
type clock struct {
	step    time.Duration
	started bool
	offset  float64 // seconds, the first picture's timestamp
	last    time.Duration
}

func (c *clock) at(ts int64, tick float64) time.Duration {
	seconds := float64(ts) * tick
	known := ts != astiav.NoPtsValue && tick > 0 && math.Abs(seconds) < 1e9
	if !c.started {
		c.started = true
		c.offset = 0
		if known {
			c.offset = seconds
		}
		return 0
	}
	at := time.Duration((seconds - c.offset) * float64(time.Second))
	if !known || at <= c.last {
		if known && c.last-at > time.Second { // the container's clock was restarted
			c.offset = seconds - (c.last + c.step).Seconds()
		}
		at = c.last + c.step
	}
	c.last = at
	return at
}
