// Package ivf reads and writes IVF, the file format of libvpx's tools: a header of 32 bytes, then each encoded
// picture behind 12 bytes with its size and presentation time. All numbers are little-endian. FFmpeg and other players
// read it with any codec.
package ivf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	signature   = "DKIF"
	headerBytes = 32
	frameHeader = 12
	// MaxFrame bounds one picture, in bytes.
	MaxFrame = 16 << 20
	// MaxTime bounds a presentation time.
	MaxTime = 1000 * time.Hour
)

// ErrFormat says that the data is not IVF, is cut short, or states what is out of range.
var ErrFormat = errors.New("not a whole IVF file")

// Header describes a file. One tick is Numerator / Denominator seconds, both in [1, 2^31).
type Header struct {
	FourCC                 string // such as VP80 or H264
	Width, Height          int    // pixels, [0, 65535]
	Numerator, Denominator uint32
}

// Frame is one encoded picture.
type Frame struct {
	At   time.Duration // presentation time, [0, MaxTime]
	Data []byte
}

// Reader reads one file.
type Reader struct {
	from   *bufio.Reader
	header Header
}

// NewReader reads the header.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{from: bufio.NewReader(from)}
	var h [headerBytes]byte
	if _, err := io.ReadFull(r.from, h[:]); err != nil {
		return nil, short(err)
	}
	if string(h[:4]) != signature {
		return nil, fmt.Errorf("%w: it does not begin with the signature %s", ErrFormat, signature)
	}
	size := int64(binary.LittleEndian.Uint16(h[6:]))
	if size < headerBytes {
		return nil, fmt.Errorf("%w: a header of %d bytes", ErrFormat, size)
	}
	if _, err := io.CopyN(io.Discard, r.from, size-headerBytes); err != nil {
		return nil, short(err)
	}
	r.header = Header{
		FourCC: string(h[8:12]),
		Width:  int(binary.LittleEndian.Uint16(h[12:])), Height: int(binary.LittleEndian.Uint16(h[14:])),
		Denominator: binary.LittleEndian.Uint32(h[16:]), Numerator: binary.LittleEndian.Uint32(h[20:]),
	}
	const most = 1 << 31
	if n, d := r.header.Numerator, r.header.Denominator; n == 0 || d == 0 || n >= most || d >= most {
		return nil, fmt.Errorf("%w: a tick of %d/%d s", ErrFormat, n, d)
	}
	return r, nil
}

// Header describes the file.
func (r *Reader) Header() Header { return r.header }

// Next returns the next picture, in memory of its own; io.EOF after the last.
func (r *Reader) Next() (Frame, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r.from, h[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return Frame{}, io.EOF
		}
		return Frame{}, short(err)
	}
	size := binary.LittleEndian.Uint32(h[:])
	if size > MaxFrame {
		return Frame{}, fmt.Errorf("%w: a picture of %d bytes", ErrFormat, size)
	}
	seconds := float64(binary.LittleEndian.Uint64(h[4:])) * float64(r.header.Numerator) / float64(r.header.Denominator)
	if seconds > MaxTime.Seconds() {
		return Frame{}, fmt.Errorf("%w: a picture at %g s", ErrFormat, seconds)
	}
	// What is there is read, not what is claimed: a short file must not make the reader allocate 16 MiB.
	data, err := io.ReadAll(io.LimitReader(r.from, int64(size)))
	if err == nil && len(data) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Frame{}, short(err)
	}
	return Frame{At: time.Duration(seconds*float64(time.Second) + 0.5), Data: data}, nil //nolint:mnd // rounds
}

// short wraps the end of a file where something was still to come.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrFormat)
	}
	return err
}

// Writer writes one file.
type Writer struct {
	to     *bufio.Writer
	header Header
}

// NewWriter writes the header, without the number of pictures: readers ignore it.
func NewWriter(to io.Writer, header Header) (*Writer, error) {
	w := &Writer{to: bufio.NewWriter(to), header: header}
	if len(header.FourCC) != 4 || header.Numerator == 0 || header.Denominator == 0 {
		return nil, fmt.Errorf("IVF header %+v: the codec has four letters, and a tick is above 0", header)
	}
	var h [headerBytes]byte
	copy(h[:], signature)
	binary.LittleEndian.PutUint16(h[6:], headerBytes)
	copy(h[8:], header.FourCC)
	binary.LittleEndian.PutUint16(h[12:], uint16(header.Width))
	binary.LittleEndian.PutUint16(h[14:], uint16(header.Height))
	binary.LittleEndian.PutUint32(h[16:], header.Denominator)
	binary.LittleEndian.PutUint32(h[20:], header.Numerator)
	_, err := w.to.Write(h[:])
	return w, err
}

// Write appends a picture with its presentation time in ticks.
func (w *Writer) Write(ticks uint64, data []byte) error {
	if len(data) > MaxFrame {
		return fmt.Errorf("a picture of %d bytes is too large for IVF here, which takes %d", len(data), MaxFrame)
	}
	var h [frameHeader]byte
	binary.LittleEndian.PutUint32(h[:], uint32(len(data)))
	binary.LittleEndian.PutUint64(h[4:], ticks)
	if _, err := w.to.Write(h[:]); err != nil {
		return err
	}
	_, err := w.to.Write(data)
	return err
}

// Flush writes what is buffered; nothing may be written after it.
func (w *Writer) Flush() error { return w.to.Flush() }
