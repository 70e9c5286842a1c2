package media

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

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

// firstJPEG reads the header of the first picture of raw motion JPEG, which has no other; nil for
// any other file. One that cannot be read is left to FFmpeg, which refuses it.
func firstJPEG(path string) *jpegHeader {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()     //nolint:errcheck // only read
	const enough = 1 << 18 // EXIF data with a preview lies before the header
	start, err := io.ReadAll(io.LimitReader(file, enough))
	if err != nil || !bytes.HasPrefix(start, []byte{0xff, 0xd8, 0xff}) {
		return nil
	}
	for h := range jpegHeaders(start) {
		return &h
	}
	return &jpegHeader{}
}

func (f *File) open(path string, container *astiav.InputFormat) error {
	quietFFmpeg()
	f.pkt = astiav.AllocPacket()
	f.format = astiav.AllocFormatContext()
	interrupter := f.format.SetInterruptCallback()
	f.stop = sync.OnceFunc(interrupter.Interrupt)
	timer := time.AfterFunc(f.cfg.OpenTimeout, f.stop)
	err := f.probe(path, container)
	if late := !timer.Stop(); err != nil && late {
		return fmt.Errorf("opening it took longer than media.open_timeout, %v: %w", f.cfg.OpenTimeout, err)
	}
	if err != nil {
		return err
	}
	stream, err := f.pick()
	if err != nil {
		return err
	}
	f.missing = missingBytes(path, f.format.InputFormat().Name())
	f.cut = lastPictureCut(path, f.format.InputFormat().Name())
	f.broken = brokenAt(path, f.format.InputFormat().Name())
	return f.openStream(stream)
}

// probe opens the container. Only plain files are read, only containers that
// cannot refer to other files are allowed, and no decoder runs while probing.
func (f *File) probe(path string, container *astiav.InputFormat) error {
	options := astiav.NewDictionary()
	defer options.Free()
	for k, v := range map[string]string{
		"protocol_whitelist": "file",
		"format_whitelist":   containers,
		"codec_whitelist":    "none", // a decoder here would run without the pixel cap
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
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if err := f.format.FindStreamInfo(nil); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
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
	codec := astiav.FindDecoder(p.CodecID())
	if codec == nil {
		return fmt.Errorf("%w: %v", liveproof.ErrUnsupportedCodec, p.CodecID())
	}
	width, height := p.Width(), p.Height()
	if width == 0 && f.firstJPEG != nil { // raw motion JPEG has no header of its own
		width, height = f.firstJPEG.width, f.firstJPEG.height
	}
	cfg, halvings, err := f.cfg.reduced(codec.Name(), width, height)
	if err != nil {
		return err
	}
	f.display = newDisplaySEI(p.CodecID().Name(), p.ExtraData())
	options := map[string]string{}
	if format := codecs.FindFFmpeg(p.CodecID().Name()); format != nil {
		f.sizer = sizerOf(format, p.ExtraData())
		f.coding = newCodingReader(format, p.ExtraData())
		if format.Reorders {
			options["strict"] = "strict" // without a stated reordering depth assume the deepest, so that no frame is lost
		}
	}
	if codec.Name() == mjpeg {
		f.sizer = jpegSizer(halvings)
		f.coding = codingReader{quantisers: &jpegQuantiser{halvings: halvings}}
		options["lowres"] = strconv.Itoa(halvings)
	}
	f.index, f.tick = s.Index(), s.TimeBase().Float64()
	f.describe(s, codec.Name(), halved(width, halvings), halved(height, halvings))
	f.info.Reduction = 1 << halvings
	f.dec, err = openDecoder(cfg, codec, p, options)
	return err
}

// sizerOf reads the sizes that a file's packets claim, nil where the decoder itself applies the limit.
func sizerOf(format *codecs.Format, streamHeader []byte) codecs.Sizer {
	if format.SizeInFile != nil {
		return format.SizeInFile(streamHeader)
	}
	return format.Size
}

func (f *File) describe(s *astiav.Stream, decoder string, width, height int) {
	rate := s.AvgFrameRate().Float64()
	if rate <= 0 || rate > 1000 {
		rate = f.cfg.RawFrameRate
	}
	f.info = Info{
		Container: f.format.InputFormat().Name(), Codec: decoder, FrameRate: rate,
	}
	f.info.Orientation, _ = matrixOrientation(s.SideData(astiav.PacketSideDataTypeDisplaymatrix)) // upright without one
	f.conv.aspect = aspectOf(s.SampleAspectRatio().Num(), s.SampleAspectRatio().Den())
	codec := s.CodecParameters().SampleAspectRatio()
	f.info.Width, f.info.Height = f.info.Orientation.size(f.conv.square(width, height, aspectOf(codec.Num(), codec.Den())))
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
