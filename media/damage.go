package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"slices"
	"strings"
	"time"
)

// ErrDamaged says that a file was read, and that part of what its container promises is missing or could not be decoded.
var ErrDamaged = errors.New("damaged media file")

// DamageError says what the pictures of a file lack. It wraps ErrDamaged.
type DamageError struct {
	What string
	// From is the time in the file of the last picture before the damage; 0 where there is none.
	From time.Duration
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%v from %.2f s on: %s", ErrDamaged, e.From.Seconds(), e.What)
}

// Unwrap makes it an ErrDamaged.
func (e *DamageError) Unwrap() error { return ErrDamaged }

// Damage is nil, or a *DamageError that says what the pictures so far lack and from when on: the file is shorter than its container says, or
// packets could not be decoded. What a container does not promise cannot be missed: the end of MPEG-TS, of raw streams between two pictures, and
// of fragmented files between two fragments. Nor can what a decoder takes for a picture: VP8 and motion JPEG decode changed bytes into another one.
func (f *File) Damage() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var what []string
	if f.missing > 0 {
		what = append(what, fmt.Sprintf("it is cut short, %d bytes of %d are missing", f.missing, f.missing+f.size))
	}
	if f.broken > 0 {
		what = append(what, fmt.Sprintf("its structure is broken at byte %d", f.broken))
	}
	if f.cut {
		what = append(what, "its last picture is cut")
	}
	c := f.Counts()
	if n := c.Dropped[DropDecodeError] + c.Dropped[DropCorrupt]; n > 0 {
		what = append(what, fmt.Sprintf("%d of %d pictures could not be decoded", n, c.Received))
	}
	if n := c.Dropped[DropAwaitKeyFrame]; n > 0 && what != nil {
		what = append(what, fmt.Sprintf("%d after them were left out up to the next key frame", n))
	}
	if what == nil {
		return nil
	}
	from := f.clock.last // a file that is cut ends with its last picture
	if f.hurt != nil {
		from = *f.hurt
	}
	return &DamageError{What: strings.Join(what, "; "), From: from}
}

// spoil notes where the first damage is.
func (f *File) spoil() {
	if f.hurt == nil {
		at := f.clock.last
		f.hurt = &at
	}
}

// missingBytes is by how many bytes a file of FFmpeg's demuxer is shorter than its structure says; 0 where that is not known.
func missingBytes(path, demuxer string) int64 {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	var end int64
	switch {
	case strings.HasPrefix(demuxer, "mov,"):
		end = endOfBoxes(file, info.Size())
	case strings.HasPrefix(demuxer, "matroska,"):
		end = endOfSegment(file, info.Size())
	case demuxer == "avi":
		end = endOfRIFF(file)
	}
	return max(0, end-info.Size())
}

// boxes of ISO BMFF at the top level (ISO/IEC 14496-12, 4.2 and 6.2.3). Others may be rubbish behind the file's end.
var boxes = []string{"ftyp", "styp", "moov", "moof", "mdat", "mfra", "free", "skip", "wide", "uuid", "sidx", "meta", "pnot"}

// endOfBoxes is where the last box of ISO BMFF ends; 0 where that is not known.
func endOfBoxes(from io.ReaderAt, size int64) (end int64) {
	const most = 1 << 16 // a live recording has two for each fragment
	for range most {
		var h [16]byte
		if n, _ := from.ReadAt(h[:], end); n < 8 || !slices.Contains(boxes, string(h[4:8])) {
			return end
		}
		length := int64(binary.BigEndian.Uint32(h[:]))
		if length == 1 {
			length = int64(min(binary.BigEndian.Uint64(h[8:]), math.MaxInt64/2))
		}
		if length < 8 || end+length > size { // 0: it reaches to the file's end
			return end + max(0, length)
		}
		end += length
	}
	return end
}

// The elements of Matroska at the top level (RFC 8794, 11.2; RFC 9559, 5.1).
const (
	ebmlHeader      = 0x1a45dfa3
	matroskaSegment = 0x18538067
)

// endOfSegment is where the first segment of Matroska ends; 0 where that is not known, as in live recordings.
func endOfSegment(from io.ReaderAt, size int64) int64 {
	at := int64(0)
	const most = 16 // elements before the segment
	for range most {
		var h [16]byte
		n, _ := from.ReadAt(h[:], at)
		id, idBytes := vint(h[:n], true)
		length, lengthBytes := vint(h[min(n, idBytes):n], false)
		if idBytes == 0 || lengthBytes == 0 || length > math.MaxInt64/2 {
			return 0
		}
		begin := at + int64(idBytes+lengthBytes)
		unknown := length == 1<<(7*lengthBytes)-1
		switch {
		case unknown:
			return 0
		case id == matroskaSegment:
			return begin + int64(length)
		case at == 0 && id != ebmlHeader:
			return 0
		}
		if at = begin + int64(length); at > size {
			return 0
		}
	}
	return 0
}

// elements are the children of Matroska's segment and of its clusters (RFC 9559, 5.1), and those that every master may have.
var elements = []uint64{
	0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1941a469, 0x1043a770, 0x1254c367, 0xec, 0xbf, // SeekHead … Tags, Void, CRC-32
	0xe7, 0xa3, 0xa0, 0xa7, 0xab, 0x5854, 0xaf, // Timestamp, SimpleBlock, BlockGroup, Position, PrevSize, SilentTracks, EncryptedBlock
	ebmlHeader, // of another segment
}

const matroskaCluster = 0x1f43b675

// brokenElement is the first byte of Matroska at which no element begins, though one should; 0: there is none before the file's end.
// FFmpeg looks for the next cluster then, and says nothing of the pictures that it leaves out.
func brokenElement(from io.ReaderAt, size int64) int64 {
	const most = 1 << 22 // a block for each picture of 30 hours
	at := int64(0)
	for range most {
		var h [16]byte
		n, _ := from.ReadAt(h[:], at)
		if at >= size || n < len(h) {
			return 0
		}
		id, idBytes := vint(h[:], true)
		length, lengthBytes := vint(h[idBytes:], false)
		known := slices.Contains(elements, id)
		switch begin := at + int64(idBytes+lengthBytes); {
		case idBytes > 0 && lengthBytes > 0 && (id == matroskaSegment || id == matroskaCluster):
			at = begin // its children follow
		case idBytes > 0 && lengthBytes > 0 && known && length <= uint64(size):
			at = begin + int64(length)
		default:
			return at
		}
	}
	return 0
}

// brokenAt is where a file of FFmpeg's demuxer has lost its structure; 0: nowhere, or that is not known.
func brokenAt(path, demuxer string) int64 {
	if !strings.HasPrefix(demuxer, "matroska,") {
		return 0
	}
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	size := info.Size()
	if end := endOfSegment(file, size); end > 0 {
		size = min(size, end) // what is behind it is nobody's
	}
	return brokenElement(file, size)
}

// lastPictureCut reports whether raw motion JPEG ends within a picture: the end of the last one (EOI, ITU-T T.81, B.1.1.3) is missing.
func lastPictureCut(path, demuxer string) bool {
	if demuxer != mjpeg {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close() //nolint:errcheck // only read
	const enough = 4 << 20
	info, err := file.Stat()
	if err != nil {
		return false
	}
	end := make([]byte, min(enough, info.Size()))
	if _, err := file.ReadAt(end, info.Size()-int64(len(end))); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return bytes.LastIndex(end, []byte{0xff, 0xd8}) > bytes.LastIndex(end, []byte{0xff, 0xd9})
}

// vint reads a variable-size integer of EBML (RFC 8794, 4), with its marker bit if it is an identifier. 0 bytes: there is none.
func vint(b []byte, identifier bool) (value uint64, length int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	length = bits.LeadingZeros8(b[0]) + 1
	if length > len(b) {
		return 0, 0
	}
	value = uint64(b[0])
	if !identifier {
		value &= 1<<(8-length) - 1
	}
	for _, x := range b[1:length] {
		value = value<<8 | uint64(x)
	}
	return value, length
}

// endOfRIFF is where the first RIFF chunk ends; 0 where that is not known.
func endOfRIFF(from io.ReaderAt) int64 {
	var h [12]byte
	if n, _ := from.ReadAt(h[:], 0); n < len(h) || string(h[:4]) != "RIFF" {
		return 0
	}
	length := int64(binary.LittleEndian.Uint32(h[4:]))
	// Some writers count the chunk's own header, and some that were interrupted leave all ones.
	if length == math.MaxUint32 {
		return 0
	}
	return length
}
