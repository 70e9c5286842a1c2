package media

import (
	"encoding/binary"
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

// jpegSizer reads the size at which a JPEG is decoded. A progressive one is decoded through the coefficients of the whole
// picture, which take memory for its full size.
func jpegSizer(halvings int) codecs.Sizer {
	return func(data []byte) (width, height int, ok bool) {
		h, ok := readJPEG(data)
		if h.progressive {
			return h.width, h.height, ok
		}
		return halved(h.width, halvings), halved(h.height, halvings), ok
	}
}

// jpegHeader is what a frame header says.
type jpegHeader struct {
	width, height int
	progressive   bool
}

// readJPEG finds the first frame header (SOFn) of a JPEG (ITU-T T.81, B.2.2). ok is false when there is none before the first
// scan.
func readJPEG(data []byte) (h jpegHeader, ok bool) {
	for marker, segment := range jpegSegments(data) {
		frame := marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
		if frame && len(segment) >= 5 {
			h.height, h.width = int(binary.BigEndian.Uint16(segment[1:])), int(binary.BigEndian.Uint16(segment[3:]))
			h.progressive = marker&3 == 2
			return h, true
		}
	}
	return h, false
}

// jpegSegments gives the marker segments up to the first scan, without their lengths (B.1.1.4). One that is cut off is
// given as far as it goes.
func jpegSegments(data []byte) func(yield func(marker byte, segment []byte) bool) {
	return func(yield func(byte, []byte) bool) {
		for len(data) >= 2 && data[0] == 0xff {
			marker := data[1]
			if marker == 0xff { // a fill byte
				data = data[1:]
				continue
			}
			data = data[2:]
			if marker == 0xd8 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7 { // without a segment
				continue
			}
			if marker == 0xda || marker == 0xd9 || len(data) < 2 { // the first scan, the end
				return
			}
			length := min(max(int(binary.BigEndian.Uint16(data)), 2), len(data))
			if !yield(marker, data[2:length]) {
				return
			}
			data = data[length:]
		}
	}
}
