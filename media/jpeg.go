package media

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math"

	"github.com/liveproof/liveproof/internal/codecs"
)

// mjpeg is FFmpeg's name of the demuxer and of the only decoder that can decode at a part of the size without drift.
const mjpeg = "mjpeg"

// maxHalvings of width and height: libavcodec's inverse DCT gives blocks of 8, 4, 2 or 1 pixels.
const maxHalvings = 3

// halved is a side after halvings, rounded up as libavcodec does.
func halved(side, halvings int) int { return (side + 1<<halvings - 1) >> halvings }

// reduced says how often a file's pictures must be halved to stay below the cap, and with which limit its decoder, which counts
// pixels before, is opened.
func (c Config) reduced(decoder string, width, height int) (forDecoder Config, halvings int, err error) {
	for ; c.overCap(halved(width, halvings), halved(height, halvings)); halvings++ {
		if decoder != mjpeg || halvings == maxHalvings {
			return c, 0, c.tooLarge("the file says", width, height)
		}
	}
	forDecoder = c
	forDecoder.MaxPixels = min(c.MaxPixels<<(2*halvings), math.MaxInt32)
	return forDecoder, halvings, nil
}

// jpegSizer reads the size at which a JPEG is decoded, the largest of all that its frame headers claim. A progressive one is decoded
// through the coefficients of the whole picture, which take memory for its full size.
func jpegSizer(halvings int) codecs.Sizer {
	return func(data []byte) (width, height int, ok bool) {
		for h := range jpegHeaders(data) {
			w, t := h.width, h.height
			if !h.progressive {
				w, t = halved(w, halvings), halved(t, halvings)
			}
			if ok = true; w*t > width*height {
				width, height = w, t
			}
		}
		return width, height, ok
	}
}

// jpegHeader is what a frame header says.
type jpegHeader struct {
	width, height int
	progressive   bool
}

// Markers (ITU-T T.81, table B.1; LSE: T.87).
const (
	jpegSOF0 = 0xc0 // to jpegSOF3: a frame header that libavcodec reads
	jpegSOF2 = 0xc2 // progressive
	jpegSOF3 = 0xc3
	jpegDHT  = 0xc4
	jpegRST0 = 0xd0 // to jpegSOI: markers without a segment
	jpegSOI  = 0xd8
	jpegEOI  = 0xd9
	jpegSOS  = 0xda
	jpegDQT  = 0xdb
	jpegDRI  = 0xdd
	jpegAPP0 = 0xe0
	jpegLSE  = 0xf8
	jpegCOM  = 0xfe
)

// jpegHeaders gives all frame headers that libavcodec may find in a JPEG, the first one first. libavcodec searches
// for the next marker, whatever lies before it, and skips only the segments that it knows. Behind a scan every byte may be a
// marker's, because how much of the scan it reads depends on its content.
func jpegHeaders(data []byte) iter.Seq[jpegHeader] {
	return func(yield func(jpegHeader) bool) {
		scanned := false
		for {
			marker, rest := jpegMarker(data)
			if rest == nil {
				return
			}
			if h, ok := readJPEGHeader(marker, rest); ok && !yield(h) {
				return
			}
			scanned = scanned || marker == jpegSOS || marker == jpegLSE
			if data = rest; !scanned {
				data = rest[min(jpegSegment(marker, rest), len(rest)):]
			}
		}
	}
}

// jpegMarker finds the next marker and what follows it; rest is nil at the end.
func jpegMarker(data []byte) (marker byte, rest []byte) {
	for {
		at := bytes.IndexByte(data, 0xff)
		if at < 0 || at+1 >= len(data) {
			return 0, nil
		}
		if marker = data[at+1]; marker >= jpegSOF0 && marker <= jpegCOM {
			return marker, data[at+2:]
		}
		data = data[at+1:]
	}
}

func readJPEGHeader(marker byte, segment []byte) (h jpegHeader, ok bool) {
	if marker < jpegSOF0 || marker > jpegSOF3 || len(segment) < 7 {
		return h, false
	}
	height, width := int(binary.BigEndian.Uint16(segment[3:])), int(binary.BigEndian.Uint16(segment[5:]))
	return jpegHeader{width, height, marker == jpegSOF2}, true
}

// jpegSegment is how many bytes behind a marker libavcodec takes for its segment: none for a marker that it does not know.
// Where a segment is so broken that it gives the picture up, any number will do.
func jpegSegment(marker byte, data []byte) int {
	const lengthBytes = 2
	if len(data) < lengthBytes {
		return 0
	}
	length := int(binary.BigEndian.Uint16(data))
	switch {
	case marker >= jpegSOF0 && marker <= jpegSOF3 && len(data) > 7:
		return 8 + 3*int(data[7]) // by the number of components
	case marker == jpegDQT:
		return jpegTables(data[:min(length, len(data))])
	case marker == jpegDHT, marker == jpegDRI:
		return length
	case marker >= jpegAPP0 && marker < jpegAPP0+16, marker == jpegCOM:
		if length > len(data) {
			return lengthBytes
		}
		return max(length, lengthBytes)
	}
	return 0
}

// jpegTables is how much of a DQT segment holds quantisation tables, of 64 values with one or two bytes each; what is left over
// is searched for markers.
func jpegTables(segment []byte) int {
	const values = 64
	at := min(2, len(segment))
	for len(segment)-at > values {
		at += 1 + values*(1+int(segment[at]>>4))
	}
	return at
}

// jpegSegments gives the marker segments up to the first scan, without their lengths (B.1.1.4). One that is cut off is
// given as far as it goes.
func jpegSegments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for {
			marker, rest := jpegMarker(data)
			if len(rest) < 2 || marker == jpegSOS || marker == jpegEOI {
				return
			}
			data = rest
			if marker >= jpegRST0 && marker <= jpegSOI { // without a segment
				continue
			}
			length := min(max(int(binary.BigEndian.Uint16(rest)), 2), len(rest))
			if !yield(marker, rest[2:length]) {
				return
			}
			data = rest[length:]
		}
	}
}
